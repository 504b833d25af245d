# SPDX-License-Identifier: Apache-2.0
"""What `authority ceremony` prints is done, word for word, in two folders for two machines."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command

from assay.signing.signer.__main__ import open_service
from assay.signing.signer.client import SignerClient
from registry.authority import steps
from registry.authority.ceremony import Names
from registry.authority.steps import HERE, THERE, Step
from tests.running import _test_database_url
from tests.signing.signer.worlds import in_thread, sign_output
from tests.thorough import thorough

pytestmark = thorough

ROOT = Path(__file__).parents[3]
NAMES = Names(registry_url="http://localhost:8000", origin="localhost:8000/ledger")
SECONDS = 120
# Both need an index of packages; tests/clients proves that the wheel alone suffices.
OF_PACKAGES = "pip "


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """A registry's machine, the root's, and the medium between them."""

    folder: Path

    def place(self, step: Step) -> Path:
        return self.folder / {HERE: "here", THERE: "there"}[step.where]

    def run(self, step: Step) -> str:
        done = subprocess.run(
            ("bash", "-euc", "\n".join(step.commands)),
            cwd=self.place(step),
            env={
                **os.environ,
                "ASSAY_DATA_DIR": str(self.folder / "here" / "data"),
                "ASSAY_PUBLIC_URL": NAMES.registry_url,
                "ASSAY_LEDGER_ORIGIN": NAMES.origin,
                "ASSAY_SIGNER_SOCKET": str(self.socket),
                "DATABASE_URL": _test_database_url(),
                "MEDIUM": str(self.folder / "medium"),
                "PYTHON": sys.executable,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def socket(self) -> Path:
        return self.folder / "signer.sock"

    @property
    def authority(self) -> Path:
        return self.folder / "here" / "data" / "authority"

    @property
    def passphrase(self) -> bytes:
        secrets = self.folder / "here" / "data" / "secrets"
        return (secrets / "signer-passphrase").read_bytes().strip()


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    tmp_path.chmod(0o700)
    for name in ("here", "there", "medium"):
        (tmp_path / name).mkdir()
    run = tmp_path / "here" / "run"
    run.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/manage.py" "$@"\n')
    run.chmod(0o700)
    return Machines(folder=tmp_path)


def printed() -> str:
    said = io.StringIO()
    call_command("authority", "ceremony", stdout=said)
    return said.getvalue()


def test_it_fits_a_terminal_and_says_every_word_of_every_step() -> None:
    said = printed()
    assert max(len(line) for line in said.splitlines()) <= 80
    for step in (*steps.steps(NAMES), *steps.quarterly()):
        assert step.title in said
        assert "".join(f"    {command}\n" for command in step.commands) in said


def test_the_steps_make_an_authority_and_renew_its_roots_list(
    transactional_db: None, machines: Machines
) -> None:
    said = [machines.run(each) for each in steps.steps(NAMES) if not needs_packages(each)]
    assert "fingerprint   sha256:" in said[-1]
    before = (machines.authority / "root.crl").read_bytes()
    service = open_service(machines.authority, passphrase=machines.passphrase)
    with in_thread(service, machines.socket):
        renewed = [machines.run(each) for each in steps.quarterly()]
        client = SignerClient(machines.socket)
        sign_output(client)
        assert client.root_crl() != before
    assert "the root's list has number 2" in renewed[-1]


def needs_packages(step: Step) -> bool:
    return any(OF_PACKAGES in command for command in step.commands)


def test_no_secret_is_on_the_medium_and_no_root_key_here(machines: Machines) -> None:
    for each in steps.steps(NAMES):
        if not needs_packages(each):
            machines.run(each)
    carried = [path for path in (machines.folder / "medium").rglob("*") if path.is_file()]
    assert {path.suffix for path in carried} == {".csr", ".pem", ".crl"}
    assert not [path for path in carried if b"PRIVATE" in path.read_bytes()]
    assert not list((machines.folder / "here").rglob("root.key*"))
    assert (machines.folder / "there" / "root" / "root.key.pem").exists()
    (secret,) = machines.passphrase.splitlines()
    assert not [path for path in carried if secret in path.read_bytes()]
