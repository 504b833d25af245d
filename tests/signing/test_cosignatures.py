# SPDX-License-Identifier: Apache-2.0
"""Cosignatures of both kinds verify for one witness and one tree head, and nothing else does."""

import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from assay.signing import cosignatures, treehead
from assay.signing.canonical import base64_decode, base64_text
from assay.signing.cosignatures import Witness, WitnessKey
from assay.signing.errors import BadTreeHead, InvalidDocument
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.treehead import TreeHead

ORIGIN = "registry.test/ledger"
HEAD = TreeHead(origin=ORIGIN, size=5, root=bytes(range(32)))
NAME = "witness.test/w1"
AT = 1_763_000_000
LEDGER = SoftwareKey.generate(Curve.ED25519)
NOTE = treehead.sign(HEAD, LEDGER)
# RFC 8032, 7.1, TEST 1: a key whose public half is known beforehand.
RFC_SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


@pytest.fixture(params=[Ed25519PrivateKey, MLDSA44PrivateKey], ids=["Ed25519", "ML-DSA-44"])
def key(request: pytest.FixtureRequest) -> WitnessKey:
    made: WitnessKey = request.param.generate()
    return made


def witness_of(key: WitnessKey, name: str = NAME) -> Witness:
    return Witness(name=name, public_key=key.public_key())


def line_of(key: WitnessKey, head: TreeHead = HEAD, *, at: int = AT) -> str:
    return cosignatures.cosign(head, key, name=NAME, at=at)


def test_a_witness_key_parses_back(key: WitnessKey) -> None:
    text = witness_of(key).text()
    assert Witness.parse(text).text() == text
    assert Witness.parse(text).hint == witness_of(key).hint


def test_a_cosignature_says_when_the_head_was_seen(key: WitnessKey) -> None:
    assert cosignatures.verify(NOTE + line_of(key), witness_of(key)) == AT
    assert treehead.verify(NOTE + line_of(key), treehead.vkey(ORIGIN, LEDGER.public_key)) == HEAD


def test_of_several_cosignatures_the_first_in_time_counts(key: WitnessKey) -> None:
    note = NOTE + line_of(key, at=AT + 5) + line_of(key) + line_of(key, at=AT + 9)
    assert cosignatures.verify(note, witness_of(key)) == AT


def test_who_says_no_time_has_seen_the_head_all_the_same(key: WitnessKey) -> None:
    note = NOTE + line_of(key, at=cosignatures.UNSAID)
    assert cosignatures.verify(note, witness_of(key)) == cosignatures.UNSAID
    assert cosignatures.verify(note + line_of(key), witness_of(key)) == AT


def test_a_note_without_its_line_says_nothing_of_a_witness(key: WitnessKey) -> None:
    assert cosignatures.verify(NOTE, witness_of(key)) is None
    other = witness_of(key, "witness.test/w2")
    assert cosignatures.verify(NOTE + line_of(key), other) is None


def test_of_an_answer_only_the_witness_own_lines_are_kept(key: WitnessKey) -> None:
    foreign = cosignatures.cosign(HEAD, Ed25519PrivateKey.generate(), name=NAME, at=AT)
    line = line_of(key)
    assert cosignatures.only(NOTE, foreign + line + foreign, witness_of(key)) == line
    for answer in ("", foreign):
        with pytest.raises(BadTreeHead, match=r"a cosignature of witness\.test/w1, found none"):
            cosignatures.only(NOTE, answer, witness_of(key))


def test_a_cosignature_of_another_head_is_a_forgery(key: WitnessKey) -> None:
    other = TreeHead(origin=ORIGIN, size=6, root=HEAD.root)
    with pytest.raises(BadTreeHead, match=r"a tree head that witness\.test/w1 cosigned"):
        cosignatures.verify(NOTE + line_of(key, other), witness_of(key))


def test_another_time_is_a_forgery(key: WitnessKey) -> None:
    line = line_of(key)
    signed = bytearray(base64_decode(line.split(" ")[2].strip()))
    signed[11] ^= 1
    with pytest.raises(BadTreeHead, match="cosigned"):
        cosignatures.verify(NOTE + f"— {NAME} {base64_text(bytes(signed))}\n", witness_of(key))


@pytest.mark.parametrize(
    "signed", [b"", b"\0" * 8, b"\0" * 71, b"\0" * 73, b"\xff" * 72, b"\xff" * 2428]
)
def test_a_line_of_other_bytes_is_refused(key: WitnessKey, signed: bytes) -> None:
    line = f"— {NAME} {base64_text(witness_of(key).hint + signed)}\n"
    says = r"a time and a signature of witness\.test/w1|cosigned|expected signature lines"
    with pytest.raises(BadTreeHead, match=says):
        cosignatures.verify(NOTE + line, witness_of(key))


def test_what_an_ed25519_witness_signs_is_what_the_specification_says() -> None:
    key = Ed25519PrivateKey.from_private_bytes(RFC_SECRET)
    signed = base64_decode(line_of(key).split(" ")[2].strip())
    assert signed[4:12] == struct.pack(">Q", AT)
    root = base64_text(HEAD.root)
    text = f"cosignature/v1\ntime {AT}\n{ORIGIN}\n5\n{root}\n"
    key.public_key().verify(signed[12:], text.encode())
    material = base64_text(cosignatures.ED25519 + RFC_PUBLIC)
    assert Witness.parse(f"{NAME}+{signed[:4].hex()}+{material}").public_key == key.public_key()


def test_what_an_ml_dsa_witness_signs_is_what_the_specification_says() -> None:
    key = MLDSA44PrivateKey.generate()
    signed = base64_decode(line_of(key).split(" ")[2].strip())
    assert len(signed) == 4 + 8 + 2420
    name, origin = NAME.encode(), ORIGIN.encode()
    message = b"subtree/v1\n\0" + bytes([len(name)]) + name + struct.pack(">Q", AT)
    message += bytes([len(origin)]) + origin + struct.pack(">QQ", 0, 5) + HEAD.root
    key.public_key().verify(signed[12:], message)


def test_sixteen_cosignatures_fit_into_a_note() -> None:
    keys = [MLDSA44PrivateKey.generate() for _ in range(15)]
    note = NOTE + "".join(map(line_of, keys))
    assert all(cosignatures.verify(note, witness_of(key)) == AT for key in keys)


GOOD = Witness(
    name=NAME, public_key=Ed25519PrivateKey.from_private_bytes(RFC_SECRET).public_key()
).text()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "name",
        GOOD.replace("w1", "w2"),
        GOOD.replace("+", " ", 1),
        GOOD[:-4],
        GOOD.replace(NAME, "a b"),
        treehead.vkey(ORIGIN, LEDGER.public_key),
    ],
)
def test_another_witness_key_is_refused(value: str) -> None:
    with pytest.raises(InvalidDocument, match="expected"):
        Witness.parse(value)
