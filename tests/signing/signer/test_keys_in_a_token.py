# SPDX-License-Identifier: Apache-2.0
"""A whole authority in a PKCS#11 token: its ceremony, a signer over it, and strangers' verdicts."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signing import envelope, timestamps, treehead
from assay.signing.certificates import Purpose
from assay.signing.errors import KeyUnusable
from assay.signing.intermediates import Name
from assay.signing.signer import ceremony
from assay.signing.signer.answers import Signed
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import KeyUnavailable
from assay.signing.signer.keyring import Keyring
from assay.signing.trust import TrustRoot
from tests.signing.signer.rooting import OUTPUT, rotate
from tests.signing.signer.worlds import (
    ORIGIN,
    PASSPHRASE,
    REGISTRY,
    ledger_of,
    program,
    sign_output,
)
from tests.signing.softhsm import PIN, SoftHsm, needs_softhsm

pytestmark = needs_softhsm
OF_THE_CEREMONY = {
    *("ledger.key.json", "sct.key.json", "timestamp.key.json", "offline/root.key.json"),
    *(f"intermediates/{each}.key.json" for each in Purpose),
}


@pytest.fixture
def folder(hsm: SoftHsm, tmp_path: Path) -> Path:
    """A ceremony held in the token."""
    tmp_path.chmod(0o700)
    made = tmp_path / "signer"
    ceremony.create(
        made,
        registry_url=REGISTRY,
        origin=ORIGIN,
        passphrase=PASSPHRASE,
        at=datetime.now(UTC),
        within=hsm.place,
    )
    return made


def sign(client: SignerClient) -> Signed:
    return sign_output(client)


def test_a_ceremony_leaves_references_and_no_key(folder: Path) -> None:
    assert not list(folder.rglob("*key.pem"))
    found = {str(path.relative_to(folder)) for path in folder.rglob("*key.json")}
    assert found == OF_THE_CEREMONY
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert PIN.encode() not in everything


def test_strangers_verify_what_it_signed(folder: Path, tmp_path: Path) -> None:
    with program(folder) as running:
        signed = sign(running.client)
        lists = [running.client.sign_crl(OUTPUT, []), running.client.root_crl()]
        trust_root = running.client.describe().trust_root
        size = running.client.describe().head.size
        note = running.client.sign_head(size, ledger_of(running.client).root(size), ())
    assert treehead.verify(note, trust_root.verifier).size == size
    write(tmp_path, signed, lists, trust_root)
    options = ("-CAfile", "root.pem", "-untrusted", "int.pem", "-CRLfile", "crls.pem")
    assert openssl(tmp_path, "verify", *options, "-crl_check_all", "leaf.pem") == "leaf.pem: OK\n"
    over = ("-verify", "key.pem", "-signature", "signature", "signed")
    assert openssl(tmp_path, "dgst", "-sha256", *over) == "Verified OK\n"
    asked = ("-in", "stamp", "-data", "signature")
    said = openssl(
        tmp_path, "ts", "-verify", *asked, "-CAfile", "root.pem", "-untrusted", "tsa.pem"
    )
    assert "Verification: OK" in said


def write(folder: Path, signed: Signed, lists: list[bytes], trust_root: TrustRoot) -> None:
    leaf, intermediate = signed.chain.leaf, signed.chain.intermediate
    for name, found in (("leaf", leaf), ("int", intermediate), ("root", trust_root.root)):
        (folder / f"{name}.pem").write_bytes(found.public_bytes(Encoding.PEM))
    read = [x509.load_der_x509_crl(each).public_bytes(Encoding.PEM) for each in lists]
    (folder / "crls.pem").write_bytes(b"".join(read))
    pem = leaf.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pem").write_bytes(pem)
    (folder / "signature").write_bytes(signed.envelope.signature)
    (folder / "signed").write_bytes(envelope.pae(signed.envelope.payload))
    (folder / "stamp").write_bytes(signed.timestamp)
    tsa = (folder / "signer" / "intermediates" / "timestamp.pem").read_bytes()
    (folder / "tsa.pem").write_bytes(tsa)


def openssl(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ("openssl", *words), cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + (done.stderr if done.returncode else "")


def test_a_token_that_goes_away_is_refused_and_works_when_it_is_back(
    folder: Path, hsm: SoftHsm
) -> None:
    with program(folder) as running:
        before = sign(running.client)
        size = running.client.describe().head.size
        hsm.take_away()
        for _ in range(2):
            with pytest.raises(KeyUnavailable, match="expected the token assay"):
                sign(running.client)
        assert running.process.poll() is None
        assert running.client.describe().head.size == size
        hsm.put_back()
        after = sign(running.client)
        said = running.log.read_text()
    assert before.chain.leaf == after.chain.leaf
    assert "Traceback" not in said


def test_a_stop_needs_no_token(folder: Path, hsm: SoftHsm) -> None:
    with program(folder) as running:
        hsm.take_away()
        running.client.stop(OUTPUT)
        hsm.put_back()
        assert {e.name: e.is_stopped for e in running.client.issuers()}[OUTPUT]


def test_a_new_intermediate_is_made_in_the_token_of_the_one_before(
    folder: Path, hsm: SoftHsm
) -> None:
    with program(folder) as running:
        rotate(running.client, folder, Purpose.TIMESTAMP, at=datetime.now(UTC))
        rotate(running.client, folder, Purpose.OUTPUT, at=datetime.now(UTC))
        chain = sign(running.client).chain
        timestamps.request(b"data")
    assert Name.of(chain.intermediate) == OUTPUT.next
    made = {path.name for path in (folder / "intermediates" / "timestamp-2").iterdir()}
    assert made == {"key.json", "intermediate.pem", "leaf.key.json", "leaf.pem"}


def test_a_wrong_pin_keeps_the_signer_from_starting(folder: Path, hsm: SoftHsm) -> None:
    hsm.write_pin("canary-wrong-pin-31")
    (folder.parent / "passphrase").touch(mode=0o600)
    (folder.parent / "passphrase").write_bytes(PASSPHRASE)
    with pytest.raises(AssertionError) as caught, program(folder):
        pass
    said = str(caught.value)
    assert "the signer does not start: key-unusable: expected the token assay" in said
    assert "a PIN that it refuses" in said
    assert "canary-wrong-pin-31" not in said
    assert "Traceback" not in said


def test_the_pin_is_on_no_command_line_and_in_no_environment(folder: Path) -> None:
    with program(folder) as running:
        sign(running.client)
        process = Path(f"/proc/{running.process.pid}")
        seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert PIN.encode() not in seen
    assert PIN not in " ".join(os.environ.values())


def test_a_reference_that_is_none_is_said(folder: Path) -> None:
    (folder / "ledger.key.json").write_bytes(b"{}")
    with pytest.raises(KeyUnusable, match=r"ledger\.key\.json: type: expected"):
        Keyring(PASSPHRASE).load(folder / "ledger.key.pem")


def test_without_the_extra_it_is_said_what_is_missing(folder: Path) -> None:
    words = (
        "import sys; sys.modules['pkcs11'] = None\n"
        "from pathlib import Path\n"
        "from assay.signing.signer.keyring import Keyring\n"
        f"Keyring(b'x').load(Path({str(folder / 'ledger.key.pem')!r}))\n"
    )
    done = subprocess.run(
        (sys.executable, "-c", words), capture_output=True, text=True, check=False, timeout=60
    )
    assert "pip install 'assay[hsm]'" in done.stderr
