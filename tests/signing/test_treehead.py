# SPDX-License-Identifier: Apache-2.0
"""Tree heads as signed notes: foreign keys parse, our notes verify, all else is refused."""

import pytest

from assay.signing import keys, treehead
from assay.signing.canonical import base64_decode, base64_text
from assay.signing.errors import BadTreeHead, InvalidDocument, KeyUnusable
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.treehead import TreeHead, Verifier

# golang.org/x/mod/sumdb/note, ExampleOpen
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
NEUMANN_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)
ORIGIN = "registry.test/ledger"
HEAD = TreeHead(origin=ORIGIN, size=5, root=bytes(32))


@pytest.fixture
def key() -> SoftwareKey:
    return SoftwareKey.generate(Curve.ED25519)


def vkey(key: SoftwareKey, origin: str = ORIGIN) -> str:
    return treehead.vkey(origin, key.public_key)


@pytest.mark.parametrize(
    "verifier", [NEUMANN, "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"]
)
def test_verifier_keys_of_others_parse_back(verifier: str) -> None:
    assert Verifier.parse(verifier).text() == verifier


def test_a_note_of_others_verifies_under_its_key() -> None:
    verifier = Verifier.parse(NEUMANN)
    signature = base64_decode(NEUMANN_SIGNATURE)
    assert signature[:4] == verifier.hint
    keys.verify(verifier.public_key, signature[4:], NEUMANN_TEXT.encode())


def test_a_signed_head_verifies(key: SoftwareKey) -> None:
    note = treehead.sign(HEAD, key)
    assert note.startswith(f"{ORIGIN}\n5\n{base64_text(bytes(32))}\n\n— {ORIGIN} ")
    assert treehead.verify(note, vkey(key)) == HEAD
    assert treehead.parse(note) == HEAD


def test_another_key_or_another_ledger_is_refused(key: SoftwareKey) -> None:
    note = treehead.sign(HEAD, key)
    with pytest.raises(BadTreeHead, match="one signature by the pinned ledger key, found 0"):
        treehead.verify(note, vkey(SoftwareKey.generate(Curve.ED25519)))
    with pytest.raises(BadTreeHead, match=r"a tree head of other\.test/ledger"):
        treehead.verify(note, vkey(key, "other.test/ledger"))


def test_a_changed_head_is_refused(key: SoftwareKey) -> None:
    note = treehead.sign(HEAD, key).replace("\n5\n", "\n6\n")
    with pytest.raises(BadTreeHead, match="that the pinned ledger key signed"):
        treehead.verify(note, vkey(key))


def test_signatures_of_witnesses_are_passed_over(key: SoftwareKey) -> None:
    note = treehead.sign(HEAD, key) + "— witness.test AAAAAAAA\n— other.test BBBBBBBB\n"
    assert treehead.verify(note, vkey(key)) == HEAD


def test_two_signatures_of_the_ledger_are_refused(key: SoftwareKey) -> None:
    note = treehead.sign(HEAD, key)
    with pytest.raises(BadTreeHead, match="found 2"):
        treehead.verify(note + note.splitlines(keepends=True)[-1], vkey(key))


ROOT = base64_text(bytes(32))
SIGNATURE = "— registry.test/ledger AAAAAAAA\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        f"{ORIGIN}\n5\n{ROOT}\n",
        f"{ORIGIN}\n05\n{ROOT}\n\n{SIGNATURE}",
        f"{ORIGIN}\n-5\n{ROOT}\n\n{SIGNATURE}",
        f"{ORIGIN}\n9007199254740993\n{ROOT}\n\n{SIGNATURE}",
        f"{ORIGIN}\n5\n{ROOT[:-4]}\n\n{SIGNATURE}",
        f"{ORIGIN}\n5\n{ROOT}=\n\n{SIGNATURE}",
        f"{ORIGIN}\n5\n{ROOT}\nextension\n\n{SIGNATURE}",
        f"{ORIGIN}\r\n5\r\n{ROOT}\r\n\r\n{SIGNATURE}",
    ],
)
def test_another_text_is_no_tree_head(note: str, key: SoftwareKey) -> None:
    with pytest.raises(BadTreeHead, match="expected"):
        treehead.verify(note, vkey(key))


@pytest.mark.parametrize("line", ["junk\n", "— name\n", "- name AAAAAAAA\n", "— a AAAA\n", "\n"])
def test_a_malformed_signature_line_is_refused(line: str, key: SoftwareKey) -> None:
    with pytest.raises(BadTreeHead, match="expected signature lines"):
        treehead.verify(treehead.sign(HEAD, key) + line, vkey(key))


def test_a_note_ends_with_a_line_feed(key: SoftwareKey) -> None:
    with pytest.raises(BadTreeHead, match="ends with a line feed"):
        treehead.verify(treehead.sign(HEAD, key) + "— name AAAAAAAA", vkey(key))


def test_an_endless_note_is_refused(key: SoftwareKey) -> None:
    note = treehead.sign(HEAD, key)
    with pytest.raises(BadTreeHead, match="at most 16 signatures, found 17"):
        treehead.verify(note + "— witness.test AAAAAAAA\n" * 16, vkey(key))
    with pytest.raises(BadTreeHead, match="at most 65536 characters"):
        treehead.verify(note + "x" * 66_000, vkey(key))


@pytest.mark.parametrize(
    "verifier",
    [
        "",
        "name",
        "name+c74f20a3",
        NEUMANN.replace("c74f20a3", "c74f20a4"),
        NEUMANN.replace("+ARpc", "+Arpc"),
        NEUMANN[:-4],
        "Peter Neumann" + NEUMANN.removeprefix("PeterNeumann"),
    ],
)
def test_another_verifier_key_is_refused(verifier: str) -> None:
    with pytest.raises(InvalidDocument):
        Verifier.parse(verifier)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "é", "x" * 256])
def test_an_origin_is_printable_and_short(origin: str, key: SoftwareKey) -> None:
    with pytest.raises(InvalidDocument, match="origin: expected 1 to 255 printable ASCII"):
        treehead.vkey(origin, key.public_key)


def test_only_an_ed25519_key_signs_tree_heads() -> None:
    with pytest.raises(KeyUnusable, match="expected an Ed25519 key, found P-256"):
        treehead.sign(HEAD, SoftwareKey.generate())


def test_the_id_in_a_bundle_starts_with_the_hint_in_a_note() -> None:
    assert treehead.log_id(NEUMANN)[:4].hex() == "c74f20a3"
