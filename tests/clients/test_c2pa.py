# SPDX-License-Identifier: Apache-2.0
"""The C2PA library trusts claims by our leaves for C2PA, under our root alone, and by no others."""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import certificates
from assay.signing.certificates import Chain, Issuer, Purpose
from assay.signing.intermediates import Name
from assay.signing.keys import Curve, Signer, SoftwareKey
from assay.signing.provenance import Holder
from assay.signing.signer import ceremony
from assay.signing.signer.client import SignerClient
from assay.signing.signer.keystore import Keystore
from tests.needing import needs
from tests.signing import leaves
from tests.signing.signer.worlds import (
    ALICE,
    ORIGIN,
    PASSPHRASE,
    POLICY,
    REGISTRY,
    Clock,
    in_thread,
    issue,
    ledger_of,
    open_service,
    wanted,
)

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
SCRIPT = ROOT / "tests" / "signing" / "foreign" / "claim_media.py"
SECONDS = 60
P256_BYTES = 32
TRIES = 20_000  # signatures in DER differ by a byte or two
MOST_PADDING = 128  # a leaf for C2PA has an organisation besides, and one usage more
Sign = Callable[[bytes], bytes]

pytestmark = needs("clients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """A folder with an image, and a registry's root."""

    folder: Path

    def sign(self, chain: Chain, sign: Sign) -> subprocess.CompletedProcess[str]:
        """A claim in `signed.png`; the library asks for one signature, by this chain's key."""
        (self.folder / "chain.pem").write_bytes(_pem(chain))
        words = (PYTHON, SCRIPT, "sign", "chain.pem", "image.png", "signed.png")
        with subprocess.Popen(
            words,
            cwd=self.folder,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as running:
            assert running.stdin is not None
            assert running.stdout is not None
            asked = running.stdout.readline()
            answer = sign(bytes.fromhex(asked)).hex() if asked else ""
            out, err = running.communicate(f"{answer}\n", timeout=SECONDS)
            return subprocess.CompletedProcess(words, running.returncode, out, err)

    def read(self, *, anchors: bytes) -> str:
        (self.folder / "anchors.pem").write_bytes(anchors)
        words = (PYTHON, SCRIPT, "read", "anchors.pem", "signed.png")
        done = subprocess.run(
            words, cwd=self.folder, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def replace(self, *pairs: tuple[bytes, bytes]) -> None:
        path = self.folder / "signed.png"
        content = path.read_bytes()
        for old, new in pairs:
            assert len(old) == len(new)
            assert content.count(old) == 1
            content = content.replace(old, new)
        path.write_bytes(content)


def png() -> bytes:
    """Four grey pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\x00\x80\x80" * 2)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    (tmp_path / "image.png").write_bytes(png())
    return Studio(folder=tmp_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A signer in its own folder, at this moment: the library looks at the clock."""

    client: SignerClient
    folder: Path
    now: datetime

    @property
    def root(self) -> bytes:
        return self.client.describe().trust_root.root.public_bytes(Encoding.PEM)

    def certify(self, purpose: Purpose) -> tuple[Chain, Sign]:
        """Alice's chain by the two steps, and the key that the signer keeps for her."""
        (chain,) = issue(self.client, ledger_of(self.client), wanted(purpose, "alice"))
        holder = Holder(uri=ALICE, conduct_sha256=POLICY)
        keystore = Keystore.open(self.folder, passphrase=PASSPHRASE)
        return chain, raw(keystore.leaf(purpose, holder, at=self.now).key)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    tmp_path.chmod(0o700)
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    folder = tmp_path / "signer"
    ceremony.create(folder, registry_url=REGISTRY, origin=ORIGIN, passphrase=PASSPHRASE, at=now)
    with in_thread(open_service(folder, Clock(now=now)), tmp_path / "s.sock"):
        yield Office(client=SignerClient(tmp_path / "s.sock"), folder=folder, now=now)


def raw(key: Signer) -> Sign:
    """Signatures as COSE has them: r and s, of one length (RFC 9053, 2.1)."""

    def sign(data: bytes) -> bytes:
        return b"".join(
            number.to_bytes(P256_BYTES, "big") for number in decode_dss_signature(key.sign(data))
        )

    return sign


def _pem(chain: Chain) -> bytes:
    return chain.leaf_pem + chain.intermediate.public_bytes(Encoding.PEM)


def test_a_claim_by_a_leaf_for_c2pa_is_trusted_under_our_root(
    studio: Studio, office: Office
) -> None:
    chain, sign = office.certify(Purpose.C2PA)
    assert studio.sign(chain, sign).returncode == 0
    assert studio.read(anchors=office.root) == "Trusted"


def test_under_another_root_it_is_not(studio: Studio, office: Office, tmp_path: Path) -> None:
    chain, sign = office.certify(Purpose.C2PA)
    assert studio.sign(chain, sign).returncode == 0
    key = SoftwareKey.generate(Curve.P384)
    other = certificates.root(key, name="another", at=office.now).public_bytes(Encoding.PEM)
    assert studio.read(anchors=other) == "Valid signingCredential.untrusted"


def test_an_image_that_was_changed_is_refused(studio: Studio, office: Office) -> None:
    chain, sign = office.certify(Purpose.C2PA)
    assert studio.sign(chain, sign).returncode == 0
    header = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    studio.replace((header, struct.pack(">IIBBBBB", 2, 1, 8, 0, 0, 0, 0)))
    assert studio.read(anchors=office.root) == "Invalid assertion.dataHash.mismatch"


@pytest.mark.parametrize("purpose", [Purpose.OUTPUT, Purpose.CHECKPOINT])
def test_the_library_makes_no_claim_by_a_leaf_of_another_purpose(
    studio: Studio, office: Office, purpose: Purpose
) -> None:
    done = studio.sign(*office.certify(purpose))
    assert done.returncode == 1
    assert "Signature: the certificate is invalid" in done.stderr


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("output", "Invalid signingCredential.untrusted signingCredential.invalid"),
        ("c2pa-3", "Trusted"),
    ],
)
def test_nor_does_a_validator_take_one(
    studio: Studio, office: Office, name: str, says: str
) -> None:
    """The library makes a claim by a leaf for C2PA; before it is signed, its chain is replaced."""
    root_key = SoftwareKey.generate(Curve.P384)
    certificate = certificates.root(root_key, name="root", at=office.now)
    root = Issuer(certificate=certificate, key=root_key)
    media, (other, key) = twins(root, Name.parse(name), at=office.now)
    pairs = tuple(zip(media.to_der(), other.to_der(), strict=True))

    def sign(data: bytes) -> bytes:
        for old, new in pairs:
            assert data.count(old) == 1
            data = data.replace(old, new)
        return raw(key)(data)

    assert studio.sign(media, sign).returncode == 0
    studio.replace(*pairs)
    anchors = root.certificate.public_bytes(Encoding.PEM)
    assert studio.read(anchors=anchors) == says


def twins(root: Issuer, name: Name, *, at: datetime) -> tuple[Chain, tuple[Chain, SoftwareKey]]:
    """A chain for C2PA and one of another name, each certificate as long as the other's."""
    key, issuing = SoftwareKey.generate(), SoftwareKey.generate()
    names = Name(purpose=Purpose.C2PA, number=2), name

    def issuer(name: Name) -> Issuer:
        made = certificates.intermediate(
            name.purpose, issuing.public_key, issuer=root, at=at, subject=name.subject
        )
        return Issuer(certificate=made, key=issuing)

    def leaf(name: Name, by: Issuer, padding: int) -> Chain:
        subject = f"{REGISTRY}/{'a' * (64 + padding)}"
        made = leaves.leaf(name.purpose, key.public_key, subject=subject, issuer=by, at=at)
        return Chain(leaf=made, intermediate=by.certificate)

    media = leaf(names[0], issuer(names[0]), 0)
    for attempt in range(TRIES):
        by = issuer(names[1])
        if len(by.certificate.public_bytes(Encoding.DER)) != len(media.to_der()[1]):
            continue
        other = leaf(names[1], by, attempt % MOST_PADDING)
        if len(other.to_der()[0]) == len(media.to_der()[0]):
            return media, (other, key)
    raise AssertionError("expected two chains of one length, found none")
