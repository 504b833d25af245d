# SPDX-License-Identifier: Apache-2.0
"""No private key is in the database, the logs, the audit files, a traceback or the data folder."""

from __future__ import annotations

import base64
import os
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import connection
from psycopg import sql

from assay.signing import certificates
from assay.signing.certificates import Purpose
from assay.signing.errors import SignerError
from assay.signing.keys import SoftwareKey
from assay.signing.provenance import Holder
from assay.signing.revocation import Reason
from registry.authority import revocations
from registry.ledger import services as ledger
from tests.registry.authority.test_rotating import issue, say
from tests.running import Authority, Live
from tests.signing.signer.worlds import ALICE, Clock, open_service, output_statement
from tests.thorough import thorough
from tests.until import until

pytestmark = thorough

FEWEST_BYTES = 10_000
HEADERS = (b"BEGIN PRIVATE KEY", b"BEGIN EC PRIVATE KEY", b"BEGIN ENCRYPTED PRIVATE KEY")
# What the signer alone reads, and its passphrase; and the database's own files, of which what was
# deleted is a part until they are tidied: tests plant keys in it. Its rows are read one by one.
KEPT_APART = ("authority", "secrets", "postgres")
Secrets = Mapping[bytes, str]


def secrets_of(folder: Path, passphrase: bytes) -> Secrets:
    """Every key below a folder in each form in which it could be found, and the passphrase."""
    found: dict[bytes, str] = dict.fromkeys(HEADERS, "a key's header")
    found |= dict(forms("the passphrase", passphrase))
    for path in folder.rglob("*key.pem"):
        private = SoftwareKey.load(path, passphrase).private
        name = str(path.relative_to(folder))
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
            if form is PrivateFormat.PKCS8 or isinstance(private, ec.EllipticCurvePrivateKey):
                der = private.private_bytes(Encoding.DER, form, NoEncryption())
                found |= dict(forms(name, der))
        found |= dict(forms(name, raw(private)))
    return found


def raw(private: object) -> bytes:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.private_numbers().private_value.to_bytes((private.key_size + 7) // 8)
    assert not isinstance(private, ec.EllipticCurvePrivateKey)
    return getattr(private, "private_bytes_raw", bytes)()


def forms(name: str, secret: bytes) -> Iterator[tuple[bytes, str]]:
    """As it is, in hexadecimal, as a number, and in base64 wherever it begins."""
    assert len(secret) >= 32
    yield secret, name
    for text in (secret.hex(), secret.hex().upper(), str(int.from_bytes(secret))):
        yield text.encode(), name
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret)
        yield encoded[4 : 4 * (len(secret) // 3)], name  # without what its neighbours share


def found_in(place: bytes, secrets: Secrets) -> set[str]:
    return {name for secret, name in secrets.items() if secret in place}


def database() -> bytes:
    """Every row of every table, with bytes both in hexadecimal and as they are."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        parts: list[bytes] = []
        for table in tables:
            cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
            for row in cursor.fetchall():
                parts += [bytes(v) if isinstance(v, memoryview) else str(v).encode() for v in row]
    return b"\n".join(parts)


def files(folder: Path) -> bytes:
    """What a backup would take as it is."""
    chosen = [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in KEPT_APART
    ]
    return b"\n".join(path.read_bytes() for path in chosen)


def work(authority: Authority) -> None:
    """Sign, revoke, rotate, and be refused."""
    chain = issue(authority)
    revocations.revoke(f"{chain.leaf.serial_number:x}", Reason.SUPERSEDED)
    for purpose in ("output", "timestamp"):
        say("rotate", purpose, *authority.root_words)
    issue(authority)
    client = ledger.signer()
    for wrong in (b"{}", os.urandom(64), output_statement()[:-1]):
        with pytest.raises(SignerError):
            client.sign(Purpose.OUTPUT, f"{authority.trust_root.registry}/alice", wrong)
    ledger.integrate()


def test_nothing_that_is_kept_or_said_holds_a_key(live: Live, authority: Authority) -> None:
    work(authority)
    with live.client() as client:
        for path in ("/authority/crl/output.crl", "/authority/ocsp/output/AAAA", "/nothing"):
            client.get(path)
    secrets = secrets_of(authority.directory, authority.passphrase_file.read_bytes().strip())
    data = Path(os.environ["ASSAY_DATA_DIR"])
    logs = data / "logs"
    until(lambda: any(logs.glob("*.log")))
    places = {
        "database": database(),
        "logs": b"\n".join(path.read_bytes() for path in logs.rglob("*.log")),
        "audit": (authority.directory / "audit.jsonl").read_bytes(),
        "data": files(data),
    }
    assert len(secrets) > 100
    assert min(len(place) for place in places.values()) > 1000
    assert len(places["database"]) > FEWEST_BYTES
    leaks = {name: found_in(place, secrets) for name, place in places.items()}
    assert not any(leaks.values()), leaks


def test_a_key_that_were_there_would_be_found(authority: Authority) -> None:
    secrets = secrets_of(authority.directory, authority.passphrase_file.read_bytes().strip())
    path = authority.directory / "intermediates" / "output.key.pem"
    private = SoftwareKey.load(path, authority.passphrase_file.read_bytes().strip()).private
    scalar = raw(private)
    pem = path.read_bytes()
    for planted in (
        scalar,
        scalar.hex().encode(),
        base64.b64encode(b"some words before " + scalar + b" and after"),
        base64.b64encode(b"other words before " + scalar + b" and after"),
        str(int.from_bytes(scalar)).encode(),
        pem,
    ):
        assert found_in(b"before" + planted + b"after", secrets)
    assert not found_in(os.urandom(4096), secrets)


def test_a_traceback_with_all_its_values_shows_no_key(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where signing fails while keys are at hand, also what such reports add: the values."""
    tmp_path.chmod(0o700)
    folder = authority.directory
    passphrase = authority.passphrase_file.read_bytes().strip()
    monkeypatch.setattr("tests.signing.signer.worlds.PASSPHRASE", passphrase)
    service = open_service(folder, Clock(now=datetime.now(UTC)))
    secrets = secrets_of(folder, passphrase)

    def fails(*_words: object, **_more: object) -> None:
        raise RuntimeError("a fault while keys are at hand")

    monkeypatch.setattr(certificates, "precertificate", fails)
    keystore = service._keystore
    name, key = keystore.signing(Purpose.CHECKPOINT), SoftwareKey.generate().public_key
    with pytest.raises(RuntimeError) as caught:
        keystore.precertificate(name, key, holder=Holder(uri=ALICE), at=datetime.now(UTC))
    fault = caught.value
    assert fault.__traceback__ is not None
    below = fault.__traceback__.tb_next  # this test has the secrets in its own hands
    report = traceback.TracebackException(type(fault), fault, below, capture_locals=True)
    shown = "".join(report.format())
    assert "public_key = " in shown
    assert found_in(shown.encode(), secrets) == set()
