# SPDX-License-Identifier: Apache-2.0
"""Xorbs and shards become blobs: compared, in the sender's name, and stored once."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone

from registry.hub.models import Extent, Xorb
from registry.hub.xet import index, registering, sweeping
from registry.storage import quotas
from registry.storage import services as storage
from registry.storage.models import Holding
from tests.registry.hub.xet.made import Term, chunk, of, xorb
from tests.registry.hub.xet.made import Xorb as SentXorb
from tests.registry.hub.xet.sending import Sender

pytestmark = pytest.mark.django_db(transaction=True)

PARTS = (b"one " * 9000, b"two " * 9000, b"three " * 9000)
SENT = xorb(*PARTS)
WHOLE = b"".join(PARTS)
ALICE, STAGED = "user:alice", "staged:user:alice"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def stored(content: bytes) -> bool:
    """That it is a blob of Alice's, byte for byte."""
    if not storage.holds(ALICE, digest(content)):
        return False
    with storage.open_blob(digest(content)) as source:
        return source.read() == content


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_rebuilt_out_of_ranges(alice: Sender) -> None:
    assert alice.xorb(SENT).body == b'{"was_inserted": true}'
    turned = PARTS[2] + PARTS[0] + PARTS[1] + PARTS[2]
    answer = alice.shard(of(turned, SENT.term(2, 3), SENT.term(0, 3)))
    assert (answer.status, answer.body) == (200, b'{"result": 1}')
    assert stored(turned)


def test_pieces_of_any_length_make_the_same(alice: Sender) -> None:
    packed = SENT.packed + b"XETBLOB and a footer"
    pieces = [packed[at : at + 7001] for at in range(0, len(packed), 7001)]
    assert alice.xorb(SENT, *pieces).status == 200
    assert alice.streamed(of(WHOLE, SENT.term(0, 3)))[-1] == {"type": "result", "result": 1}
    assert stored(WHOLE)


def test_what_waits_is_nothing_that_anybody_holds(alice: Sender) -> None:
    alice.xorb(SENT)
    assert not storage.holds(ALICE, digest(WHOLE))
    assert [row.holder for row in Holding.objects.filter(blob=digest(WHOLE))] == [STAGED]
    assert quotas.use_of(ALICE).used_bytes == 0
    assert quotas.use_of(STAGED).used_bytes == len(WHOLE)


def test_once_files_have_all_of_it_its_own_bytes_are_gone(alice: Sender, data_folder: Path) -> None:
    alice.xorb(SENT)
    alice.shard(of(PARTS[0], SENT.term(0, 1)))
    assert Xorb.objects.get().staged == digest(WHOLE)  # two of three chunks are nowhere else
    alice.shard(of(PARTS[1] + PARTS[2], SENT.term(1, 3)))
    row = Xorb.objects.get()
    assert (row.staged, row.is_released) == ("", True)
    assert files_in(data_folder) == sorted([digest(PARTS[0]), digest(PARTS[1] + PARTS[2])])
    assert not Holding.objects.filter(holder=STAGED).exists()
    assert quotas.use_of(STAGED).used_bytes == len(WHOLE)  # of Alice's own files


def test_a_file_that_is_one_xorb_stays(alice: Sender, data_folder: Path) -> None:
    """Both are the same bytes: what is released is the holding, and not the file."""
    alice.xorb(SENT)
    alice.shard(of(WHOLE, SENT.term(0, 3)))
    assert files_in(data_folder) == [digest(WHOLE)]
    assert stored(WHOLE)
    assert quotas.use_of(ALICE).used_bytes == len(WHOLE)


def test_a_later_shard_names_what_was_sent_long_before(alice: Sender) -> None:
    alice.xorb(SENT)
    alice.shard(of(PARTS[0], SENT.term(0, 1)), of(PARTS[1] + PARTS[2], SENT.term(1, 3)))
    assert Xorb.objects.get().staged == ""
    other = xorb(b"and an end")
    alice.xorb(other)
    longer = PARTS[1] + PARTS[0] + PARTS[1] + b"and an end"
    made = of(longer, SENT.term(1, 2), SENT.term(0, 2), other.term(0, 1))
    assert alice.shard(made).status == 200
    assert stored(longer)


def test_what_is_sent_again_is_said_to_be_and_heals_what_was_lost(alice: Sender) -> None:
    alice.xorb(SENT)
    assert alice.xorb(SENT).body == b'{"was_inserted": false}'
    alice.shard(of(WHOLE, SENT.term(0, 3)))
    Extent.objects.all().delete()
    assert "xorb-unknown" in alice.streamed(of(PARTS[0], SENT.term(0, 1)))[-1]["code"]
    assert alice.xorb(SENT).body == b'{"was_inserted": false}'
    assert alice.shard(of(PARTS[0], SENT.term(0, 1))).status == 200


def test_files_of_many_terms_leave_few_rows(alice: Sender) -> None:
    """Ranges that follow each other are one extent; what adds nothing to others is none."""
    alice.xorb(SENT)
    alice.shard(of(WHOLE, SENT.term(0, 1), SENT.term(1, 2), SENT.term(2, 3)))
    assert [(each.first, each.end, each.offset) for each in Extent.objects.all()] == [(0, 3, 0)]
    other = xorb(*PARTS, b"more")
    alice.xorb(other)
    for part, number in ((PARTS[0], 0), (PARTS[1], 1), (PARTS[0] + PARTS[1], 0)):
        end = 2 if len(part) > len(PARTS[1]) else number + 1
        assert alice.shard(of(part, other.term(number, end))).status == 200
    rows = Extent.objects.filter(xorb__name=other.name)
    assert [(each.first, each.end) for each in rows] == [(0, 2)]


def test_the_same_file_twice_in_one_shard_and_again(alice: Sender) -> None:
    alice.xorb(SENT)
    made = of(WHOLE, SENT.term(0, 3))
    assert alice.shard(made, made).status == 200
    assert alice.shard(made).status == 200
    assert stored(WHOLE)
    assert quotas.use_of(ALICE).used_bytes == len(WHOLE)


def test_an_empty_file_and_an_empty_shard(alice: Sender) -> None:
    assert alice.shard().status == 200
    assert alice.shard(of(b"")).status == 200
    assert stored(b"")


def test_packed_chunks_are_unpacked(alice: Sender) -> None:
    packed = b"".join(chunk(part, scheme) for scheme, part in enumerate(PARTS))
    assert alice.xorb(SENT, packed).status == 200
    assert alice.shard(of(WHOLE, SENT.term(0, 3))).status == 200
    assert stored(WHOLE)


def test_two_people_send_the_same_and_each_is_told_it_is_new(alice: Sender, bob: Sender) -> None:
    for sender in (alice, bob):
        assert sender.xorb(SENT).body == b'{"was_inserted": true}'
        assert sender.shard(of(WHOLE, SENT.term(0, 3))).status == 200
    holders = Holding.objects.filter(blob=digest(WHOLE)).values_list("holder", flat=True)
    assert set(holders) == {ALICE, "user:bob"}


def test_in_a_bucket_it_is_the_same(bucket: str, alice: Sender) -> None:
    alice.xorb(SENT)
    alice.shard(of(PARTS[0], SENT.term(0, 1)), of(PARTS[2] + PARTS[1], *turned()))
    assert stored(PARTS[2] + PARTS[1])
    assert Xorb.objects.get().staged == ""
    assert alice.shard(of(WHOLE, SENT.term(0, 3))).status == 200
    assert stored(WHOLE)


def turned() -> tuple[Term, ...]:
    return SENT.term(2, 3), SENT.term(1, 2)


def test_work_that_takes_long_says_how_far_it_is(
    alice: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "SAY_EVERY_SECONDS", 0)
    alice.xorb(SENT)
    *lines, last = alice.streamed(of(WHOLE, SENT.term(0, 3)))
    assert last == {"type": "result", "result": 1}
    assert {line["type"] for line in lines} == {"validating"}
    assert [line["verified"] for line in lines] == sorted(line["verified"] for line in lines)
    assert {line["total"] for line in lines} == {len(WHOLE)}


def test_a_fault_of_ours_is_no_refusal(alice: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is behind it is in our log; the same shard may be sent again."""

    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    alice.xorb(SENT)
    with monkeypatch.context() as patch:
        patch.setattr(index, "gain", fail)
        last = alice.streamed(of(WHOLE, SENT.term(0, 3)))[-1]
    assert (last["type"], last["retryable"]) == ("error", True)
    assert "a fault" not in last["message"]
    assert not storage.holds(ALICE, digest(WHOLE))
    assert alice.shard(of(WHOLE, SENT.term(0, 3))).status == 200


@pytest.mark.parametrize("seed", range(6))
def test_any_files_of_any_ranges_come_out_right(alice: Sender, seed: int) -> None:
    """Xorbs of many small chunks, files of ranges of them at random, in several shards."""
    chance = random.Random(seed)  # noqa: S311 - the same files each time
    xorbs = [xorb(*(chance.randbytes(chance.randint(1, 90)) for _ in range(25))) for _ in range(4)]
    for each in xorbs:
        assert alice.xorb(each).status == 200
    for _ in range(8):
        files = [some_file(chance, xorbs) for _ in range(chance.randint(1, 3))]
        made = [of(content, *terms) for content, terms in files]
        assert alice.shard(*made).status == 200
        assert all(stored(content) for content, _ in files)
        sweeping.sweep(now=timezone.now())
    covered = Extent.objects.values("xorb", "first").distinct().count()
    assert covered == Extent.objects.count() <= 25 * len(xorbs)


def some_file(chance: random.Random, xorbs: Sequence[SentXorb]) -> tuple[bytes, list[Term]]:
    terms, content = [], b""
    for _ in range(chance.randint(1, 9)):
        each, first = chance.choice(xorbs), chance.randrange(25)
        end = chance.randint(first + 1, 25)
        terms.append(each.term(first, end))
        content += b"".join(each.contents[first:end])
    return content, terms


def test_many_at_once_neither_wait_for_ever_nor_lose_anything(alice: Sender, bob: Sender) -> None:
    """Xorbs sent again, shards that release them, and the sweep, all of the same bytes."""
    made = of(WHOLE, SENT.term(0, 3))

    def act(number: int) -> int:
        try:
            match number % 4:
                case 0:
                    return alice.xorb(SENT).status
                case 1:
                    return bob.shard(made).status
                case 2:
                    sweeping.sweep(now=timezone.now())
                    return 200
                case _:
                    return alice.shard(made).status
        finally:
            connections.close_all()

    alice.xorb(SENT)
    bob.xorb(SENT)
    with ThreadPoolExecutor(8) as pool:
        found = Counter(pool.map(act, range(60)))
    assert found == {200: 60}
    for sender in (alice, bob):
        assert sender.shard(made).status == 200
    assert stored(WHOLE)
    sweeping.sweep(now=timezone.now())
    assert not Xorb.objects.exclude(staged="").exists()
    assert not Holding.objects.filter(holder__startswith="staged:").exists()
