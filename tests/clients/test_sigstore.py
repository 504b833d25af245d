# SPDX-License-Identifier: Apache-2.0
"""sigstore-python and `assay` judge the same bundles alike, under the same trusted root."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.needing import needs
from tests.signing.sigstore.bundles import Made, envelope, judge, message
from tests.signing.sigstore.instance import FILE, ISSUER, NAME, Instance

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
SCRIPT = ROOT / "tests" / "signing" / "foreign" / "verify_bundle.py"
SECONDS = 120

pytestmark = needs("clients")


def theirs(folder: Path, instance: Instance, *bundles: Made) -> list[str]:
    (folder / "root.json").write_text(json.dumps(instance.trusted_root()))
    (folder / "file").write_bytes(FILE)
    paths = [folder / f"{number}.json" for number, _ in enumerate(bundles)]
    for path, made in zip(paths, bundles, strict=True):
        path.write_text(json.dumps(made))
    done = subprocess.run(
        [PYTHON, SCRIPT, folder / "root.json", NAME, ISSUER, folder / "file", *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert len(done.stdout.split()) == len(bundles), done.stderr
    return done.stdout.split()


def test_both_accept_what_a_private_instance_makes(tmp_path: Path) -> None:
    instance = Instance()
    made = [
        envelope(instance, "dsse", "0.0.1"),
        envelope(instance, "hashedrekord", "0.0.2"),
        message(instance, "0.0.1"),
        message(instance, "0.0.2"),
    ]
    assert all(judge(each, instance) for each in made)
    assert theirs(tmp_path, instance, *made) == ["verified"] * len(made)


def test_both_refuse_another_root(tmp_path: Path) -> None:
    made = envelope(Instance(), "dsse", "0.0.1")
    assert theirs(tmp_path, Instance(), made) == ["refused"]
