# SPDX-License-Identifier: Apache-2.0
"""Policies and proofs: who has to have seen a ledger, and that they saw this entry."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.signing import cosignatures, merkle, treehead
from assay.signing.canonical import base64_text
from assay.signing.cosignatures import Witness
from assay.signing.errors import BadTreeHead, InvalidDocument, NotInLedger, NotWitnessed
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.tlog import Policy, Proof
from assay.signing.treehead import TreeHead

ORIGIN = "registry.test/ledger"
AT = 1_763_000_000
LEDGER = SoftwareKey.generate(Curve.ED25519)
VKEY = treehead.vkey(ORIGIN, LEDGER.public_key)
NAMES = ("X1", "X2", "X3", "Y1", "Y2")
KEYS = {name: Ed25519PrivateKey.generate() for name in NAMES}
VKEYS = {
    name: Witness(name=f"{name}.test", public_key=key.public_key()).text()
    for name, key in KEYS.items()
}
LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(5)]
STORED = merkle.new_subtrees(0, LEAVES, lambda *_: b"")
ROOT = merkle.root_from(5, lambda *place: STORED[place])
HEAD = TreeHead(origin=ORIGIN, size=5, root=ROOT)
NOTE = treehead.sign(HEAD, LEDGER)
WITNESSES = "".join(f"witness {name} {VKEYS[name]}\n" for name in NAMES)
TWO_LEVELS = f"""# two organisations

log {VKEY} https://registry.test/ledger
{WITNESSES}group X 2 X1 X2 X3
\tgroup  Y any Y1 Y2
group both all X Y
quorum both
"""


def seen_by(*names: str) -> str:
    lines = (
        cosignatures.cosign(HEAD, KEYS[name], name=f"{name}.test", at=AT + number)
        for number, name in enumerate(names)
    )
    return NOTE + "".join(lines)


def policy(text: str = TWO_LEVELS) -> Policy:
    return Policy.parse(text.encode("latin-1"))


@pytest.mark.parametrize("names", [("X1", "X2", "Y1"), ("X3", "Y2", "X1"), NAMES])
def test_a_quorum_accepts_and_says_who_saw_when(names: tuple[str, ...]) -> None:
    found = policy().check(seen_by(*names))
    assert found.head == HEAD
    assert found.ledger.text() == VKEY
    assert found.seen_at == {name: AT + number for number, name in enumerate(names)}


@pytest.mark.parametrize(
    ("seen_at", "since"),
    [
        ({"X1": 5, "X2": 7, "Y1": 6}, 7),
        ({"X1": 5, "X2": 7, "Y1": 9}, 9),
        ({"X1": 1, "X2": 7, "X3": 8, "Y1": 6, "Y2": 2}, 7),
        ({"X1": 1, "X2": 7, "X3": 1, "Y1": 6, "Y2": 6}, 6),
        ({"X1": 1, "X2": 0, "Y1": 6}, cosignatures.LATEST),
        ({"X1": 1, "X2": 0, "X3": 8, "Y1": 6}, 8),
        ({"X1": 1, "Y1": 6}, None),
    ],
)
def test_a_quorum_has_seen_a_head_when_enough_of_it_had(
    seen_at: dict[str, int], since: int | None
) -> None:
    """As many as have to lie about a head have to lie about its time, and silence is no time."""
    assert policy().since(seen_at) == since


def test_a_quorum_of_nobody_has_seen_nothing() -> None:
    nobody = policy(f"log {VKEY}\nquorum none\n")
    assert (nobody.check(NOTE).since, nobody.is_met_by(VKEYS.values())) == (None, False)


def test_groups_are_not_nested_without_end() -> None:
    lines = [f"log {VKEY}", f"witness g0 {VKEYS['X1']}"]
    lines += [f"group g{number} any g{number - 1}" for number in range(1, 34)]
    assert policy("\n".join([*lines[:-1], "quorum g32\n"])).is_met_by([VKEYS["X1"]])
    with pytest.raises(InvalidDocument, match="expected groups in at most 32 groups"):
        policy("\n".join([*lines, "quorum g33\n"]))


def test_witnesses_are_enough_by_their_keys() -> None:
    enough = [VKEYS[name] for name in ("X1", "X2", "Y1")]
    assert policy().is_met_by(enough)
    assert not policy().is_met_by(enough[:2])
    assert policy().check(seen_by("X1", "X2", "Y1")).since == AT + 2


@pytest.mark.parametrize("names", [(), ("X1", "X2"), ("X1", "Y1", "Y2"), ("Y1",)])
def test_fewer_than_the_quorum_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(NotWitnessed, match="expected the witnesses of the quorum both, found"):
        policy().check(seen_by(*names))


def test_a_quorum_may_be_one_witness_or_nobody() -> None:
    one = f"log {VKEY}\nwitness w {VKEYS['X1']} https://x1.test/\nquorum w\n"
    assert policy(one).check(seen_by("X1")).seen_at == {"w": AT}
    with pytest.raises(NotWitnessed, match="found nobody"):
        policy(one).check(NOTE)
    assert policy(f"log {VKEY}\nquorum none\n").check(NOTE).seen_at == {}
    assert [url for _, url in policy(one).witnesses.values()] == ["https://x1.test/"]


def test_a_forged_cosignature_of_a_known_witness_spoils_the_note() -> None:
    other = TreeHead(origin=ORIGIN, size=6, root=ROOT)
    forged = cosignatures.cosign(other, KEYS["X3"], name="X3.test", at=AT)
    with pytest.raises(BadTreeHead, match=r"X3\.test cosigned"):
        policy().check(seen_by("X1", "X2", "Y1") + forged)


def test_a_head_of_another_ledger_or_key_is_refused() -> None:
    with pytest.raises(BadTreeHead, match="of a ledger in the policy"):
        policy("quorum none\n").check(NOTE)
    stranger = treehead.sign(HEAD, SoftwareKey.generate(Curve.ED25519))
    with pytest.raises(BadTreeHead, match="of a ledger in the policy"):
        policy(f"log {VKEY}\nquorum none\n").check(stranger)


def test_names_are_bytes() -> None:
    text = f"witness K {VKEYS['X1']}\nwitness \xe2\x84\xaa {VKEYS['X2']}\nquorum \xe2\x84\xaa\n"
    assert set(policy(text).witnesses) == {"K", "\xe2\x84\xaa"}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "policy"),
        ("quorum none", "policy"),
        ("quorum none\r\n", "policy"),
        (f"log {VKEY}\n", "policy"),
        ("quorum none\nquorum none\n", "line 2"),
        ("quorum w\n", "line 1"),
        ("quorum\n", "line 1"),
        ("wait for me\n", "line 1"),
        (f"log {VKEY} a b\n", "line 1"),
        (f"log {VKEY}\nlog {VKEY}\n", "line 2"),
        (f"log {VKEYS['X1']}\n", "verifier"),
        (f"witness w {VKEY}\n", "witness"),
        (f"witness none {VKEYS['X1']}\n", "line 1"),
        (f"witness w {VKEYS['X1']}\nwitness v {VKEYS['X1']}\n", "line 2"),
        (f"witness w {VKEYS['X1']}\nwitness w {VKEYS['X2']}\n", "line 2"),
        (f"{WITNESSES}group g any\n", "line 6"),
        (f"{WITNESSES}group X1 any X2\n", "line 6"),
        (f"{WITNESSES}group none any X2\n", "line 6"),
        (f"{WITNESSES}group g any none\n", "line 6"),
        (f"{WITNESSES}group g any g\n", "line 6"),
        (f"{WITNESSES}group g any Z\n", "line 6"),
        (f"{WITNESSES}group g any X1 X1\n", "line 6"),
        (f"{WITNESSES}group g any X1\ngroup h any X1\n", "line 7"),
        (f"{WITNESSES}group g 3 X1 X2\n", "line 6"),
        (f"{WITNESSES}group g 0 X1 X2\n", "line 6"),
        (f"{WITNESSES}group g 01 X1 X2\n", "line 6"),
        (f"{WITNESSES}group g some X1 X2\n", "line 6"),
        ("#" * (256 << 10) + "\n", "policy"),
    ],
)
def test_another_file_is_no_policy(text: str, field: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        policy(text)
    assert refused.value.field == field


def proof(index: int = 3, *, note: str | None = None, extra: bytes | None = None) -> Proof:
    hashes = merkle.inclusion_proof(index, 5, lambda *place: STORED[place])
    return Proof(index=index, hashes=hashes, note=note or seen_by(*NAMES), extra=extra)


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("extra", [None, b"where it came from"])
def test_a_proof_is_written_read_and_verified(index: int, extra: bytes | None) -> None:
    made = proof(index, extra=extra)
    assert made.text().startswith("c2sp.org/tlog-proof@v1\n")
    read = Proof.parse(made.text())
    assert read == made
    assert read.verify(LEAVES[index], policy()).head == HEAD


def test_a_proof_is_of_its_entry_and_needs_the_quorum() -> None:
    with pytest.raises(NotInLedger):
        proof().verify(LEAVES[2], policy())
    with pytest.raises(NotWitnessed):
        proof(note=NOTE).verify(LEAVES[3], policy())


FIRST = "c2sp.org/tlog-proof@v1\n"
HASH = base64_text(ROOT)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "proof"),
        ("c2sp.org/tlog-proof@v2\nindex 0\n\n" + NOTE, "proof"),
        (FIRST + "\n" + NOTE, "index"),
        (FIRST + "index 01\n\n" + NOTE, "index"),
        (FIRST + "index 9007199254740993\n\n" + NOTE, "index"),
        (FIRST + "index 0\nextra AAAA\n\n" + NOTE, "hashes"),
        (FIRST + "extra !\nindex 0\n\n" + NOTE, "extra"),
        (FIRST + "index 0\nAAAA\n\n" + NOTE, "hashes"),
        (FIRST + "index 0\n" + f"{HASH}\n" * 64 + "\n" + NOTE, "hashes"),
        (FIRST + "x" * (128 << 10), "proof"),
    ],
    ids=[
        *("nothing", "another version", "no index", "a leading zero", "too large"),
        *("a stray line", "another extra", "half a hash", "too many hashes", "too long"),
    ],
)
def test_another_text_is_no_proof(text: str, field: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        Proof.parse(text)
    assert refused.value.field == field


def test_a_proof_without_a_tree_head_is_none() -> None:
    with pytest.raises(BadTreeHead):
        Proof.parse(FIRST + "index 0\n\n")
