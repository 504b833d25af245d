# SPDX-License-Identifier: Apache-2.0
"""docs/guides/verifier.md is true: every command in it runs, in order, and says what it should."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.core.management import call_command

from assay.signing.digests import as_id
from registry.authority import tasks as authority_tasks
from registry.catalog import queries
from registry.catalog.models import Checkpoint
from registry.sigstore import distributing
from tests.issuer import Issuer, running
from tests.needing import needs
from tests.registry.catalog.world import build, by_node, publish
from tests.registry.people import invite
from tests.running import Authority, Live

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "verifier.md"
CLIENTS = ROOT / ".venv-clients" / "bin"
HERE = "http://localhost:8000"
NODE = shutil.which("node")
JS_PACKAGES = Path(__file__).with_name("js") / "node_modules"
JS_SECTION = "## The same, with sigstore-js"
PROGRAM = re.compile(r"where (\S+) is\n\n```(?:python|js)\n(.*?)```", re.DOTALL)
SECONDS = 300
SAYS = (
    "certificate.pem: OK",
    "Response verify OK",
    "certificate.pem: good",
    "Verified OK",
    "Verification: OK",
    "Verification succeeded",
    "stamped at 20",
    "localhost:8000/ledger",
    "OK: notes.txt",
    "signed it, says",
    "fetched trust/targets/trusted_root.json",
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs("clients"),
]


def commands() -> tuple[str, str]:
    """What stands indented in the guide, as one script; sigstore-js has one for itself.

    Time that witnesses saw is for tests/registry/authority/test_before_and_after.py, which has one.
    """
    text = re.sub(r"```(?:python|js)\n.*?```", "", GUIDE.read_text(), flags=re.DOTALL)
    text = re.sub(r"## Time that others saw\n.*?(?=\n## )", "", text, flags=re.DOTALL)
    before, heading, rest = text.partition(JS_SECTION)
    own, next_heading, after = rest.partition("\n## ")
    assert heading
    assert next_heading
    return _indented(before + after), _indented(own)


def _indented(text: str) -> str:
    return "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A stranger's folder, and what the guide supposes that a reader has at hand."""

    folder: Path
    live: Live
    known: dict[str, str] = field(default_factory=dict)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("bash", "-euxo", "pipefail", "-c", script),
            cwd=self.folder,
            env={
                **os.environ,
                "HOME": str(self.folder),
                "PATH": f"{CLIENTS}:{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
                "ASSAY_CONFIG": str(self.folder / "config"),
                "no_proxy": "*",
                **self.known,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )


@pytest.fixture
def desk(live: Live, authority: Authority, tmp_path: Path) -> Iterator[Desk]:
    authority_tasks.sweep()
    for name, program in PROGRAM.findall(GUIDE.read_text()):
        (tmp_path / name).write_text(program)
    distribute(tmp_path)
    with running() as issuer:
        providers = Path(os.environ["ASSAY_OIDC_PROVIDERS"])
        provider = {"name": "x", "issuer": issuer.url, "uses": ["signing"]}
        providers.write_text(json.dumps({"providers": [provider]}))
        found = Desk(folder=tmp_path, live=live)
        sign_notes(found, issuer)
        yield found
        providers.write_text('{"providers":[]}')


def distribute(folder: Path) -> None:
    """By TUF, from a root that the reader has."""
    for path in (*distributing.folder().glob("*.json"), *distributing.folder().glob("targets/*")):
        path.unlink()
    (folder / "offline").mkdir()
    call_command("tuf", "root", offline=folder / "offline")
    call_command("tuf", "refresh")
    shutil.copy(distributing.folder() / "1.root.json", folder)


def sign_notes(desk: Desk, issuer: Issuer) -> None:
    """Somebody signs a file, here where the registry listens instead of where it says it does."""
    (desk.folder / "notes.txt").write_text("Some notes.\n")
    with desk.live.client() as client:
        config = client.get("/.well-known/assay/trust_config.json").text
    (desk.folder / "signing.json").write_text(config.replace(HERE, desk.live.url))
    desk.known.update(SIGNER="https://example.test/alice", ISSUER=issuer.url, TOKEN=issuer.token())
    done = desk.run(
        "sigstore --trust-config signing.json sign --identity-token $TOKEN "
        "--bundle notes.txt.sigstore.json notes.txt"
    )
    assert done.returncode == 0, done.stderr


def download(desk: Desk, checkpoint: Checkpoint) -> None:
    """The files and the evidence, as the checkpoint's page says."""
    url, folder = f"/api/v1/checkpoints/sha256:{checkpoint.manifest_sha256}", desk.folder
    (folder / checkpoint.name).mkdir()
    with desk.live.client() as client:
        found = client.get(url).json()
        for file in (*found["files"], found["signature"], found["sigstore"]):
            address = file["url"].removeprefix(HERE)
            (folder / checkpoint.name / file["name"]).write_bytes(client.get(address).content)
        evidence = client.get(f"{url}/evidence").content
    (folder / f"{checkpoint.name}.assay.json").write_bytes(evidence)
    assert "checkpoint" in json.loads(evidence)["bundles"]
    signer = queries.identity(checkpoint)
    desk.known.update(STATEMENT=found["statement"], IDENTITY=signer.name, PROVIDER=signer.issuer)


def test_every_command_of_the_guide_runs(desk: Desk, authority: Authority) -> None:
    download(desk, publish(by_node(build(invite(), desk.folder / "texts"))))
    authority_tasks.sweep()
    desk.known["FINGERPRINT"] = as_id(authority.trust_root.fingerprint)
    script, _ = commands()
    script = script.replace("REGISTRY=http://localhost:8000", f"REGISTRY={desk.live.url}")
    # Here the registry listens elsewhere than its trust root says; else the pin has the key.
    key = f"--state monitor --log '{authority.trust_root.verifier}'"
    done = desk.run(script.replace("--state monitor", key))
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    for words in SAYS:
        assert words in said, said


@needs("js")
def test_and_those_for_sigstore_js(desk: Desk) -> None:
    (desk.folder / "node_modules").symlink_to(JS_PACKAGES)
    fetch = f"python fetch_trust.py {desk.live.url} 1.root.json"
    _, script = commands()
    done = desk.run(f"{fetch}\n{script}")
    assert done.returncode == 0, done.stderr
    assert "sigstore-js agrees" in done.stdout
    (desk.folder / "notes.txt").write_text("Other notes.\n")
    assert desk.run(script).returncode != 0
