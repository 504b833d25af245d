# SPDX-License-Identifier: Apache-2.0
"""A witness cosigns what continues what it saw, and answers everything else as C2SP lists it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assay.signing import cosignatures, treehead
from assay.signing.canonical import base64_text
from assay.signing.cosignatures import Witness
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.treehead import TreeHead, Verifier
from assay.signing.witness import Desk, Memory, WitnessStateBroken, serving
from tests.signing.witness.ledgers import FORKED, HONEST, KEY, MOST, ORIGIN, VKEY

NAME, AT = "witness.test/w1", 1_763_000_000
WITNESS_KEY = Ed25519PrivateKey.generate()
WITNESS = Witness(name=NAME, public_key=WITNESS_KEY.public_key())
LEAVES = HONEST.leaves


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def witness(state: Path) -> Iterator[httpx.Client]:
    """A real one, on a loopback port."""
    desk = Desk(
        name=NAME,
        key=WITNESS_KEY,
        ledgers=(Verifier.parse(VKEY),),
        memory=Memory.open(state),
        clock=lambda: AT,
    )
    with serving(desk, "127.0.0.1", 0) as url, httpx.Client(base_url=url) as client:
        yield client


def ask(witness: httpx.Client, body: str | bytes) -> httpx.Response:
    return witness.post("/add-checkpoint", content=body)


def check_conflict(answer: httpx.Response, size: int) -> None:
    assert (answer.status_code, answer.text) == (409, f"{size}\n")
    assert answer.headers["Content-Type"] == "text/x.tlog.size"


def test_a_head_that_continues_the_one_before_is_cosigned(witness: httpx.Client) -> None:
    for old, new in ((0, 3), (3, 3), (3, 4), (4, 32), (32, MOST)):
        answer = ask(witness, HONEST.request(old, new))
        assert answer.status_code == 200
        assert cosignatures.verify(HONEST.note(new) + answer.text, WITNESS) == AT


def test_an_old_size_that_was_not_the_newest_is_told_the_newest(witness: httpx.Client) -> None:
    check_conflict(ask(witness, HONEST.request(3, 5)), 0)
    ask(witness, HONEST.request(0, 7))
    for old, new in ((0, 9), (3, 9), (8, 9), (0, 5), (5, 5)):
        check_conflict(ask(witness, HONEST.request(old, new)), 7)


def test_a_smaller_head_is_never_cosigned_again(witness: httpx.Client) -> None:
    ask(witness, HONEST.request(0, 7))
    answer = ask(witness, f"old 7\n\n{HONEST.note(5)}")
    assert (answer.status_code, answer.text) == (400, "expected an old size of at most 5\n")
    check_conflict(ask(witness, HONEST.request(5, 5)), 7)


def test_two_heads_of_one_size_are_never_both_cosigned(witness: httpx.Client) -> None:
    ask(witness, HONEST.request(0, 7))
    check_conflict(ask(witness, FORKED.request(7, 7)), 7)
    assert ask(witness, HONEST.request(7, 7)).status_code == 200


def test_two_heads_of_an_empty_ledger_are_never_both_cosigned(witness: httpx.Client) -> None:
    head = TreeHead(origin=ORIGIN, size=0, root=bytes(32))
    check_conflict(ask(witness, f"old 0\n\n{treehead.sign(head, KEY)}"), 0)
    assert ask(witness, HONEST.request(0, 0)).status_code == 200


def test_another_history_is_not_continued(witness: httpx.Client) -> None:
    ask(witness, HONEST.request(0, 7))
    assert ask(witness, FORKED.request(7, 9)).status_code == 422
    assert ask(witness, HONEST.request(7, 9, proof=())).status_code == 422
    assert ask(witness, HONEST.request(7, 7, proof=(LEAVES[0],))).status_code == 422
    assert ask(witness, HONEST.request(7, 9)).status_code == 200


def test_a_first_head_needs_no_proof_and_takes_none(witness: httpx.Client) -> None:
    assert ask(witness, HONEST.request(0, 7, proof=(LEAVES[0],))).status_code == 422


def test_a_ledger_that_is_not_known_is_not_found(witness: httpx.Client) -> None:
    body = f"old 0\n\n{HONEST.note(3, origin='other.test/ledger')}"
    assert ask(witness, body).status_code == 404


def test_a_head_that_the_ledger_did_not_sign_is_forbidden(witness: httpx.Client) -> None:
    stranger = SoftwareKey.generate(Curve.ED25519)
    assert ask(witness, f"old 0\n\n{HONEST.note(3, key=stranger)}").status_code == 403
    changed = HONEST.note(3).replace("\n3\n", "\n4\n")
    assert ask(witness, f"old 0\n\n{changed}").status_code == 403


NOTE = HONEST.note(3)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        f"old 00\n\n{NOTE}",
        f"old -1\n\n{NOTE}",
        f"old 9007199254740993\n\n{NOTE}",
        f"new 0\n\n{NOTE}",
        f"old 0\nAAAA\n\n{NOTE}",
        f"old 0\n!\n\n{NOTE}",
        "old 0\n" + f"{base64_text(LEAVES[0])}\n" * 64 + f"\n{NOTE}",
        f"old 0\n{NOTE}",
        "old 0\n\n",
        f"old 4\n\n{NOTE}",
    ],
)
def test_another_request_is_bad(witness: httpx.Client, body: str | bytes) -> None:
    answer = ask(witness, body)
    assert answer.status_code == 400
    assert answer.text.startswith("expected ")


def test_other_routes_and_bodies_are_refused_unread(witness: httpx.Client) -> None:
    assert witness.post("/", content=b"x").status_code == 404
    assert witness.get("/add-checkpoint").status_code == 404
    assert witness.post("/add-checkpoint", content=iter([b"x"])).status_code == 411
    for length in (str(10**6), "9" * 5000, "-1", "x"):
        wire = HTTPConnection(witness.base_url.host, witness.base_url.port or 0)
        wire.putrequest("POST", "/add-checkpoint")
        wire.putheader("Content-Length", length)
        wire.endheaders()
        assert wire.getresponse().status in {411, 413}
        wire.close()


def test_of_many_at_once_one_is_cosigned(witness: httpx.Client) -> None:
    """From one size to many others: whoever is late is told how far the witness is."""
    ask(witness, HONEST.request(0, 3))

    def grow(size: int) -> httpx.Response:
        return ask(witness, HONEST.request(3, size))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(grow, range(4, MOST)))
    (cosigned,) = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} == {200, 409}
    size = answers.index(cosigned) + 4
    assert {answer.text for answer in answers if answer.status_code == 409} == {f"{size}\n"}


def test_what_was_cosigned_is_on_the_disk_before_it_is_answered(
    witness: httpx.Client, state: Path
) -> None:
    ask(witness, HONEST.request(0, 7))
    (file,) = state.glob("*.json")
    assert '"size":7,' in file.read_text()


def test_a_witness_that_cannot_remember_cosigns_nothing(witness: httpx.Client, state: Path) -> None:
    ask(witness, HONEST.request(0, 7))
    (file,) = state.glob("*.json")
    file.write_text("{")
    answer = ask(witness, HONEST.request(7, 9))
    assert answer.status_code == 503
    assert "cosigns nothing" in answer.text


def memory_of(folder: Path) -> Memory:
    return Memory.open(folder)


def test_what_was_seen_is_seen_after_a_restart(state: Path) -> None:
    head = TreeHead(origin=ORIGIN, size=7, root=LEAVES[0])
    memory = Memory(state)
    state.mkdir()
    memory.remember(head)
    assert Memory.open(state).newest(ORIGIN) == head
    assert Memory(state).newest("other.test/ledger").size == 0


def test_two_witnesses_never_use_one_folder(state: Path) -> None:
    memory_of(state)
    with pytest.raises(WitnessStateBroken, match="another witness is using"):
        memory_of(state)


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WitnessStateBroken, match="file: File exists"):
        memory_of(tmp_path / "file")
    memory = Memory(tmp_path / "nowhere")
    with pytest.raises(WitnessStateBroken, match="No such file"):
        memory.remember(TreeHead(origin=ORIGIN, size=7, root=LEAVES[0]))


def test_a_memory_that_cannot_be_read_is_never_taken_for_an_empty_one(state: Path) -> None:
    state.mkdir()
    memory = Memory(state)
    memory.remember(TreeHead(origin=ORIGIN, size=7, root=LEAVES[0]))
    (file,) = state.glob("*.json")
    file.unlink()
    file.mkdir()
    with pytest.raises(WitnessStateBroken, match="Is a directory"):
        memory.newest(ORIGIN)
