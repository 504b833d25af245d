# SPDX-License-Identifier: Apache-2.0
"""docs/guides/verifier.md is true: every command in it runs, in order, and says what it should."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from assay.signing.digests import as_id
from registry.authority import tasks as authority_tasks
from registry.catalog.models import Checkpoint
from tests.registry.catalog.world import build, by_node, publish
from tests.registry.people import invite
from tests.running import Authority, Live

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "verifier.md"
CLIENTS = ROOT / ".venv-clients" / "bin"
SAYS = (
    "certificate.pem: OK",
    "Response verify OK",
    "certificate.pem: good",
    "Verified OK",
    "Verification: OK",
    "Verification succeeded",
    "stamped at 20",
    "localhost:8000/ledger",
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not CLIENTS.exists(),
        reason=".venv-clients is absent: ./run test makes it from requirements/clients.txt",
    ),
]


def commands() -> str:
    """What stands indented in the guide, as one script."""
    lines = re.sub(r"```python\n.*?```", "", GUIDE.read_text(), flags=re.DOTALL).splitlines()
    return "\n".join(line[4:] for line in lines if line.startswith("    "))


def download(live: Live, checkpoint: Checkpoint, folder: Path) -> str:
    """The files and the evidence, as the checkpoint's page says; the statement's digest."""
    url = f"/api/v1/checkpoints/sha256:{checkpoint.manifest_sha256}"
    (folder / checkpoint.name).mkdir()
    with live.client() as client:
        found = client.get(url).json()
        for file in [*found["files"], found["signature"]]:
            address = file["url"].removeprefix("http://localhost:8000")
            (folder / checkpoint.name / file["name"]).write_bytes(client.get(address).content)
        evidence = client.get(f"{url}/evidence").content
    (folder / f"{checkpoint.name}.assay.json").write_bytes(evidence)
    assert "checkpoint" in json.loads(evidence)["bundles"]
    checkpoint.refresh_from_db()
    assert checkpoint.statement is not None
    return checkpoint.statement.sha256


def test_every_command_of_the_guide_runs(live: Live, authority: Authority, tmp_path: Path) -> None:
    checkpoint = publish(by_node(build(invite(), tmp_path / "texts")))
    authority_tasks.sweep()
    statement = download(live, checkpoint, tmp_path)
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "check_timestamp.py").write_text(program)
    script = commands().replace("REGISTRY=http://localhost:8000", f"REGISTRY={live.url}")
    # Here the registry listens elsewhere than its trust root says; else the pin has the key.
    key = f"--state monitor --log '{authority.trust_root.verifier}'"
    script = script.replace("--state monitor", key)
    done = subprocess.run(
        ("bash", "-euxo", "pipefail", "-c", script),
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": f"{CLIENTS}:{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
            "ASSAY_CONFIG": str(tmp_path / "config"),
            "FINGERPRINT": as_id(authority.trust_root.fingerprint),
            "STATEMENT": statement,
            "no_proxy": "*",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    for words in SAYS:
        assert words in said, said
