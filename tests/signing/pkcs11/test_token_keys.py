# SPDX-License-Identifier: Apache-2.0
"""A key in a token signs as one in memory does, and never leaves the token."""

from __future__ import annotations

from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass

from assay.signing import keys
from assay.signing.errors import KeyUnusable
from assay.signing.keys import Curve, curve_of
from assay.signing.pkcs11 import Token
from assay.signing.signer.keyring import Keyring
from tests.signing.softhsm import MODULE, PIN, SoftHsm, needs_softhsm

pytestmark = needs_softhsm


def token_of(hsm: SoftHsm, **other: str) -> Token:
    place = hsm.place
    return Token(MODULE, other.get("label", place.token), place.pin_file)


@pytest.mark.parametrize("curve", list(Curve))
def test_what_it_signs_verifies(hsm: SoftHsm, curve: Curve) -> None:
    made = token_of(hsm).generate("a key", curve)
    assert curve_of(made.public_key) is curve
    opened = token_of(hsm).key("a key")
    assert opened.public_key == made.public_key
    for key in (made, opened):
        keys.verify(key.public_key, key.sign(b"data"), b"data")


def test_a_key_cannot_be_taken_out(hsm: SoftHsm) -> None:
    token_of(hsm).generate("a key", Curve.P256)
    token = pkcs11.lib(str(MODULE)).get_token(token_label="assay")
    with token.open(user_pin=PIN) as session:
        found = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label="a key")
        assert (found[Attribute.SENSITIVE], found[Attribute.EXTRACTABLE]) == (True, False)
        with pytest.raises(pkcs11.AttributeSensitive):
            _ = found[Attribute.VALUE]


def test_a_key_that_an_interrupted_call_made_is_opened(hsm: SoftHsm) -> None:
    token = token_of(hsm)
    made = token.generate("a key", Curve.P256, may_be_there=True)
    again = token.generate("a key", Curve.P256, may_be_there=True)
    assert again.public_key == made.public_key


def test_a_key_that_somebody_else_made_is_not_taken(hsm: SoftHsm) -> None:
    token_of(hsm).generate("a key", Curve.P256)
    with pytest.raises(KeyUnusable, match="expected no key at a key before it is made, found one"):
        token_of(hsm).generate("a key", Curve.P256)


def test_two_registries_in_one_token_share_no_key(hsm: SoftHsm, tmp_path: Path) -> None:
    made = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        path = folder / "ledger.key.pem"
        for _ in range(2):  # asked again, it is the same
            key = Keyring(b"").make(path, label="ledger", curve=Curve.P256, within=hsm.place)
            made.append(key.public_key)
    assert made[0] == made[1] != made[2] == made[3]


@pytest.mark.parametrize(
    ("template", "missing"),
    [
        ({Attribute.EXTRACTABLE: True}, "found one that is not NEVER_EXTRACTABLE"),
        ({Attribute.SENSITIVE: False}, "found one that is not SENSITIVE"),
    ],
)
def test_a_key_that_can_be_taken_out_is_refused(
    hsm: SoftHsm, template: dict[Attribute, bool], missing: str
) -> None:
    token = pkcs11.lib(str(MODULE)).get_token(token_label="assay")
    with token.open(rw=True, user_pin=PIN) as session:
        p256 = {Attribute.EC_PARAMS: bytes.fromhex("06082a8648ce3d030107")}
        domain = session.create_domain_parameters(KeyType.EC, p256, local=True)
        domain.generate_keypair(store=True, label="a key", private_template=template)
    with pytest.raises(KeyUnusable, match=missing):
        token_of(hsm).key("a key")


def test_a_key_that_was_brought_into_the_token_is_refused(hsm: SoftHsm) -> None:
    token = pkcs11.lib(str(MODULE)).get_token(token_label="assay")
    p256 = bytes.fromhex("06082a8648ce3d030107")
    template = {
        Attribute.CLASS: ObjectClass.PRIVATE_KEY,
        Attribute.KEY_TYPE: KeyType.EC,
        Attribute.EC_PARAMS: p256,
        Attribute.VALUE: bytes(31) + b"\x07",
        Attribute.LABEL: "a key",
        Attribute.TOKEN: True,
        Attribute.SIGN: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
    }
    with token.open(rw=True, user_pin=PIN) as session:
        session.create_object(template)
    said = "found one that is not NEVER_EXTRACTABLE and not LOCAL"
    with pytest.raises(KeyUnusable, match=said):
        token_of(hsm).generate("a key", Curve.P256, may_be_there=True)


def test_a_token_or_a_key_that_is_not_there_is_said(hsm: SoftHsm) -> None:
    with pytest.raises(KeyUnusable, match=r"the token assay of libsofthsm2\.so .* no such key"):
        token_of(hsm).key("none")
    with pytest.raises(KeyUnusable, match=r"the token other .* found no token of that label"):
        token_of(hsm, label="other").key("none")


def test_a_wrong_pin_is_said_and_not_tried_again(hsm: SoftHsm) -> None:
    token_of(hsm).generate("a key", Curve.P256)
    hsm.write_pin("another-pin-7112")
    token = token_of(hsm)
    with pytest.raises(KeyUnusable, match="found a PIN that it refuses") as caught:
        token.key("a key")
    assert "another-pin-7112" not in repr(caught.value)
    hsm.write_pin(PIN)
    with pytest.raises(KeyUnusable, match="refused the PIN: start anew"):
        token.key("a key")
    token_of(hsm).key("a key")


def test_a_token_that_comes_back_with_another_pin_is_asked_once(hsm: SoftHsm) -> None:
    key = token_of(hsm).generate("a key", Curve.P256)
    key.sign(b"data")
    hsm.write_pin("another-pin-7112")
    hsm.take_away()
    with pytest.raises(KeyUnusable):
        key.sign(b"data")
    hsm.put_back()
    for said in ("a PIN that it refuses", "refused the PIN"):
        with pytest.raises(KeyUnusable, match=said):
            key.sign(b"data")


def test_a_token_that_was_away_signs_again(hsm: SoftHsm) -> None:
    key = token_of(hsm).generate("a key", Curve.P384)
    keys.verify(key.public_key, key.sign(b"1"), b"1")
    hsm.take_away()
    for _ in range(2):
        with pytest.raises(KeyUnusable, match="expected the token assay"):
            key.sign(b"2")
    hsm.put_back()
    keys.verify(key.public_key, key.sign(b"3"), b"3")


def test_two_who_use_one_token_do_not_log_each_other_out(hsm: SoftHsm) -> None:
    first, second = token_of(hsm), token_of(hsm)
    key = first.generate("a key", Curve.P256)
    key.sign(b"data")
    other = second.key("a key")
    keys.verify(key.public_key, other.sign(b"data"), b"data")
    hsm.take_away()
    with pytest.raises(KeyUnusable):
        key.sign(b"data")
    hsm.put_back()
    for each in (key, other):
        keys.verify(key.public_key, each.sign(b"data"), b"data")


def test_a_key_of_another_curve_is_refused(hsm: SoftHsm) -> None:
    token = pkcs11.lib(str(MODULE)).get_token(token_label="assay")
    with token.open(rw=True, user_pin=PIN) as session:
        secp256k1 = bytes.fromhex("06052b8104000a")
        parameters = {Attribute.EC_PARAMS: secp256k1}
        domain = session.create_domain_parameters(KeyType.EC, parameters, local=True)
        domain.generate_keypair(store=True, label="a coin")
    with pytest.raises(KeyUnusable, match="expected a P-256, P-384, P-521 or Ed25519 key"):
        token_of(hsm).key("a coin")


def test_a_key_that_does_not_sign_is_refused(hsm: SoftHsm) -> None:
    token = pkcs11.lib(str(MODULE)).get_token(token_label="assay")
    with token.open(rw=True, user_pin=PIN) as session:
        p256 = {Attribute.EC_PARAMS: bytes.fromhex("06082a8648ce3d030107")}
        domain = session.create_domain_parameters(KeyType.EC, p256, local=True)
        derives = MechanismFlag.DERIVE
        domain.generate_keypair(store=True, label="a secret", capabilities=derives)
    with pytest.raises(KeyUnusable, match="expected a key that signs at a secret"):
        token_of(hsm).key("a secret")


def test_a_signature_that_does_not_verify_does_not_leave(hsm: SoftHsm) -> None:
    token = token_of(hsm)
    key = token.generate("a key", Curve.P256)
    session = pkcs11.lib(str(MODULE)).get_token(token_label="assay")
    with session.open(rw=True, user_pin=PIN) as opened:
        for each in list(opened.get_objects({Attribute.LABEL: "a key"})):
            each.destroy()
    token.generate("a key", Curve.P256)
    with pytest.raises(KeyUnusable, match="expected a signature by a key, found another"):
        key.sign(b"data")


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (b"1234\n", 0o640, "has mode 0640, expected 0600"),
        (b"\n1234", 0o600, "is empty"),
        (b"\xff\xfe\n", 0o600, "not UTF-8"),
        (None, 0o600, "No such file"),
    ],
)
def test_a_pin_file_that_will_not_do_is_said(
    hsm: SoftHsm, content: bytes | None, mode: int, said: str
) -> None:
    hsm.place.pin_file.unlink()
    if content is not None:
        hsm.place.pin_file.write_bytes(content)
        hsm.place.pin_file.chmod(mode)
    with pytest.raises(KeyUnusable, match=said) as caught:
        token_of(hsm).key("a key")
    assert "1234" not in str(caught.value)


def test_a_module_that_is_none_is_said(hsm: SoftHsm) -> None:
    with pytest.raises(KeyUnusable, match=r"expected the token assay of nothing\.so"):
        Token(hsm.folder / "nothing.so", "assay", hsm.place.pin_file).key("a key")


def test_ecdsa_in_the_tokens_form_has_two_halves(hsm: SoftHsm) -> None:
    token = token_of(hsm)
    token.generate("a key", Curve.P521)
    assert len(token.sign("a key", b"\0" * 64, Mechanism.ECDSA)) == 132
