# SPDX-License-Identifier: Apache-2.0
"""Keys: what they sign verifies, and their files keep their secret."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from assay.signing import keys
from assay.signing.errors import BadSignature, KeyUnusable
from assay.signing.keys import Curve, SoftwareKey

PASSPHRASE = b"correct horse"


@pytest.fixture(params=list(Curve))
def key(request: pytest.FixtureRequest) -> SoftwareKey:
    return SoftwareKey.generate(request.param)


def test_a_signature_verifies_under_its_key(key: SoftwareKey) -> None:
    keys.verify(key.public_key, key.sign(b"data"), b"data")


def test_other_bytes_and_other_keys_are_refused(key: SoftwareKey) -> None:
    signature = key.sign(b"data")
    other = SoftwareKey.generate(keys.curve_of(key.public_key))
    with pytest.raises(BadSignature, match="over these bytes, found another"):
        keys.verify(key.public_key, signature, b"Data")
    with pytest.raises(BadSignature):
        keys.verify(other.public_key, signature, b"data")
    with pytest.raises(BadSignature):
        keys.verify(key.public_key, b"", b"data")


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None])
def test_a_stored_key_loads_back(
    key: SoftwareKey, passphrase: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    key.store(path, passphrase)
    loaded = SoftwareKey.load(path, passphrase)
    keys.verify(key.public_key, loaded.sign(b"data"), b"data")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_stored_key_is_encrypted(key: SoftwareKey, tmp_path: Path) -> None:
    key.store(tmp_path / "key.pem", PASSPHRASE)
    assert (tmp_path / "key.pem").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY")


def test_a_key_is_never_overwritten(key: SoftwareKey, tmp_path: Path) -> None:
    key.store(tmp_path / "key.pem", PASSPHRASE)
    with pytest.raises(FileExistsError):
        key.store(tmp_path / "key.pem", PASSPHRASE)


@pytest.mark.parametrize("passphrase", [b"wrong", None, b""])
def test_a_wrong_passphrase_is_refused(
    key: SoftwareKey, passphrase: bytes | None, tmp_path: Path
) -> None:
    key.store(tmp_path / "key.pem", PASSPHRASE)
    expected = "a key that is not encrypted" if passphrase is None else "a PKCS#8 key"
    with pytest.raises(KeyUnusable, match=rf"key\.pem: expected {expected}") as caught:
        SoftwareKey.load(tmp_path / "key.pem", passphrase)
    assert "correct horse" not in str(caught.value)


def test_a_key_file_that_others_may_read_is_refused(key: SoftwareKey, tmp_path: Path) -> None:
    key.store(tmp_path / "key.pem", PASSPHRASE)
    (tmp_path / "key.pem").chmod(0o640)
    with pytest.raises(KeyUnusable, match="mode 0600, found a wider one"):
        SoftwareKey.load(tmp_path / "key.pem", PASSPHRASE)


@pytest.mark.parametrize(
    ("private", "found"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), "RSAPrivateKey"),
        (ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
    ],
)
def test_another_kind_of_key_is_refused(
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, found: str, tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(pem)
    path.chmod(0o600)
    with pytest.raises(
        KeyUnusable, match=f"expected a P-256, P-384, P-521 or Ed25519 key, found .*{found}"
    ):
        SoftwareKey.load(path, None)


def test_what_is_no_key_has_no_curve() -> None:
    with pytest.raises(KeyUnusable, match="found NoneType"):
        keys.curve_of(None)


def test_a_key_does_not_show_itself() -> None:
    assert repr(SoftwareKey.generate()) == "SoftwareKey()"
