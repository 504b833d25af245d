# SPDX-License-Identifier: Apache-2.0
"""`assay sign FILE --checkpoint …` against a registry: digests go, evidence comes, once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay import trust_root
from assay.signing.digests import as_id
from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from registry.outputs.models import Output
from tests.registry.outputs import world
from tests.registry.people import invite, secret_of
from tests.registry.pool.world import found
from tests.running import Live

pytestmark = pytest.mark.django_db(transaction=True)
ASSAY = (sys.executable, "-m", "assay.signing.commands")


def test_a_file_is_signed_once_and_verifies_beside_its_evidence(live: Live, tmp_path: Path) -> None:
    people = invite()
    checkpoint: Checkpoint = world.published(found(people))
    charlie = people.charlie
    conduct.accept(checkpoint.conduct, charlie.namespace, charlie)
    token = secret_of(charlie, "outputs")
    root, text = tmp_path / "root.json", tmp_path / "text.txt"
    with live.client() as anyone:
        root.write_bytes(anyone.get("/.well-known/assay/trust-root.json").content)
    text.write_text("made elsewhere, of this checkpoint\n")

    def assay(*words: object, secret: str = token) -> tuple[int, str]:
        done = subprocess.run(
            (*ASSAY, *map(str, words)),
            env={
                "ASSAY_CONFIG": str(tmp_path / "config"),
                "ASSAY_TOKEN": secret,
                "PATH": os.environ["PATH"],
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    fingerprint = as_id(trust_root(root).fingerprint)
    assert assay("trust", "add", root, "--fingerprint", fingerprint)[0] == 0
    sign = ("sign", text, "--checkpoint", as_id(checkpoint.manifest_sha256), "--registry", live.url)
    code, said = assay(*sign)
    assert (code, "Signed as your own word" in said) == (0, True), said
    beside = tmp_path / "text.txt.assay.json"
    (output,) = Output.objects.all()
    assert (output.text, output.claim) == ("", "caller-asserted")

    assert assay("verify", text)[0] == 0
    code, said = assay(*sign)
    assert (code, "is signed already" in said) == (0, True)
    beside.unlink()  # cut off before it was written: the same command goes on
    assert assay(*sign)[0] == 0
    assert Output.objects.count() == 1

    text.write_text("another text\n")
    assert assay("verify", text)[0] == 21
    kept = beside.read_bytes()
    assert assay(*sign)[0] in {21, 35}
    assert beside.read_bytes() == kept
