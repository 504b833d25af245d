# SPDX-License-Identifier: Apache-2.0
"""`assay conduct accept --key` at a terminal, against a real web server and signer."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.digests import as_id
from assay.signing.keys import SoftwareKey, spki
from registry.conduct.models import Acceptance
from tests.registry.conduct.published import first_version
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live
from tests.thorough import thorough
from tests.until import until

pytestmark = [pytest.mark.django_db(transaction=True), thorough]
SECONDS = 120
NAME = "community-language-models@1.0"


def assay(folder: Path, secret: str, *words: str, typed: str = "") -> str:
    """What the command prints, to whom this is typed."""
    told = {"ASSAY_CONFIG": str(folder / "config"), "ASSAY_TOKEN": secret, "COLUMNS": "80"}
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, typed.encode())
        done = subprocess.run(
            [sys.executable, "-m", "assay.signing.commands", *words],
            cwd=folder,
            env={**os.environ, **told},
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_key_of_ones_own_signs_what_was_read(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    alice, version, key = invite().alice, first_version(), SoftwareKey.generate()
    key.store(tmp_path / "own.pem", None)
    secret = secret_of(alice, "publish")
    fingerprint = as_id(authority.trust_root.fingerprint)
    assay(tmp_path, secret, "trust", "add", live.url, "--fingerprint", fingerprint)
    asked = ("--registry", live.url)
    said = assay(
        tmp_path, secret, "conduct", "accept", NAME, "--key", "own.pem", *asked, typed="1.0\n"
    )
    acceptance = Acceptance.objects.get(version=version, party=alice.namespace)
    signed = acceptance.signed
    assert signed is not None
    assert signed.key == spki(key.public_key)
    assert signed.claim().party == alice.namespace.uri
    assert f"sha256:{signed.key_sha256}" in said
    shown = assay(tmp_path, secret, "conduct", "show", NAME, *asked)
    assert f"sha256:{signed.key_sha256}" in shown.split("Accepted by alice")[1]
    until(Acceptance.objects.filter(statement__entry__index__isnull=False).exists)
    assay(tmp_path, secret, "conduct", "prove", NAME, "--to", "acceptance.json", *asked)
    proven = AcceptanceEvidence.parse(json.loads((tmp_path / "acceptance.json").read_bytes()))
    assert (proven.opening.party, proven.consent) == (alice.namespace.uri, signed)
