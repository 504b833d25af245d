# SPDX-License-Identifier: Apache-2.0
"""A blob in parts: whole and kept, or parts that wait, or nothing; never half of one."""

from __future__ import annotations

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections, transaction
from django.utils import timezone

from assay.signing.digests import sha256
from registry.storage import assembling, quotas, services
from registry.storage.assembling import Assembly
from registry.storage.errors import (
    DigestMismatch,
    InvalidDigest,
    PartMissing,
    QuotaExceeded,
    UploadUnknown,
)
from registry.storage.files import Part, parts_folder
from registry.storage.models import Blob

pytestmark = pytest.mark.django_db(transaction=True)

PARTS = (b"first part", b"secnd part", b"last")
WHOLE = b"".join(PARTS)
ETAGS = [sha256(part) for part in PARTS]
ALICE = "user:alice"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing that another test has left."""
    shutil.rmtree(parts_folder() / ".assembled", ignore_errors=True)
    monkeypatch.setattr(assembling, "PART_BYTES", 10)
    monkeypatch.setattr(assembling, "CHUNK_BYTES", 1)


def announced(content: bytes = WHOLE, size_bytes: int = len(WHOLE)) -> Assembly:
    return Assembly(holder=ALICE, sha256=sha256(content), size_bytes=size_bytes)


def send(to: Assembly, number: int, content: bytes) -> None:
    with Part() as part, transaction.atomic():
        part.write(content)
        assembling.put(to, number, part)


def keep(part: Part) -> None:
    services.keep(part, holder=ALICE)
    drop(announced())


def drop(of: Assembly) -> None:
    with transaction.atomic():
        assembling.drop(of.parts)


def join(of: Assembly, etags: list[str]) -> None:
    assembling.join(of, assembling.paths(of, etags), keep=keep)


def waiting() -> list[Path]:
    return list((parts_folder() / ".assembled").glob("*"))


def test_parts_in_any_order_and_twice_become_the_blob() -> None:
    to = announced()
    assert (to.count, [to.length(number) for number in (1, 2, 3)]) == (3, [10, 10, 4])
    for number in (3, 1, 2, 1):
        send(to, number, PARTS[number - 1])
    join(to, ETAGS)
    with services.open_blob(to.sha256) as blob:
        assert blob.read() == WHOLE
    assert waiting() == []
    assert not to.parts.exists()


def test_a_part_is_the_one_that_came_last() -> None:
    to = announced()
    send(to, 1, b"wrong part")
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)
    assert len(waiting()) == 3
    join(to, ETAGS)


def test_of_two_that_come_at_once_one_is_kept() -> None:
    to, both = announced(), threading.Barrier(2)

    def send_at_once(content: bytes) -> None:
        try:
            both.wait()
            send(to, 1, content)
        finally:
            connections.close_all()

    for _ in range(10):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(send_at_once, (b"first part", b"other part")))
        (kept,) = to.parts
        (path,) = waiting()
        assert (sha256(path.read_bytes()), path.name) == (kept.sha256, kept.file)
        drop(to)


def test_the_same_part_again_does_not_disturb_who_joins_them() -> None:
    to = announced()
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)
    found = assembling.paths(to, ETAGS)
    send(to, 2, PARTS[1])
    assembling.join(to, found, keep=keep)
    send(to, 2, PARTS[1])  # of one who has sent it all at the same time
    send(to, 1, b"other part")
    assert (waiting(), to.parts.count()) == ([], 0)


def test_what_is_missing_or_another_is_said_and_the_rest_waits() -> None:
    to = announced()
    send(to, 1, PARTS[0])
    send(to, 2, b"otherbytes")
    with pytest.raises(PartMissing, match=f"expected part 2 .* {ETAGS[1]}.* and 1 more"):
        join(to, ETAGS)
    with pytest.raises(PartMissing, match="expected 3 parts, found 1"):
        join(to, ETAGS[:1])
    with pytest.raises(InvalidDigest):
        join(to, ["../../x"])
    assert len(waiting()) == 2
    assert not Blob.objects.exists()


def test_other_bytes_than_were_announced_are_kept_by_nobody() -> None:
    to = announced(b"something else")
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)
    with pytest.raises(DigestMismatch, match=f"expected sha256:{to.sha256}"):
        join(to, ETAGS)
    assert not Blob.objects.exists()
    drop(to)
    assert waiting() == []
    with pytest.raises(UploadUnknown, match="found none: none came"):
        join(to, ETAGS)


def test_where_it_cannot_be_kept_now_the_parts_wait_and_it_is_tried_again() -> None:
    to = announced()
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)

    def fails(_: Part) -> None:
        raise OSError("a disk")

    with pytest.raises(OSError, match="a disk"):
        assembling.join(to, assembling.paths(to, ETAGS), keep=fails)
    assert len(waiting()) == 3
    join(to, ETAGS)
    assert Blob.objects.get().sha256 == to.sha256


def test_a_part_that_is_replaced_while_they_are_joined_is_said() -> None:
    to = announced()
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)
    found = assembling.paths(to, ETAGS)
    send(to, 2, b"otherbytes")
    with pytest.raises(PartMissing, match="expected the bytes of part 2, found them replaced"):
        assembling.join(to, found, keep=keep)
    assert len(waiting()) == 3
    assert not Blob.objects.exists()


def test_what_nobody_joins_is_swept_after_a_day_and_counted_until_then() -> None:
    to, now = announced(), timezone.now()
    send(to, 1, PARTS[0])
    assert (quotas.use_of(ALICE).used_bytes, quotas.use_of("user:bob").used_bytes) == (10, 0)
    assert services.sweep(now=now) == 0
    to.parts.update(came_at=now - timedelta(days=1, minutes=1))
    assert services.sweep(now=now) == 1
    assert (waiting(), quotas.use_of(ALICE).used_bytes) == ([], 0)


def test_a_file_that_a_crash_left_is_swept_and_a_row_without_one_is_said() -> None:
    to, now = announced(), timezone.now()
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)
    lost = waiting()[0]
    lost.rename(lost.with_name("left"))
    os.utime(lost.with_name("left"), (0, 0))
    assert services.sweep(now=now) == 1
    with pytest.raises(PartMissing, match="send the part again"):
        join(to, ETAGS)
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)
    join(to, ETAGS)


def test_what_waits_leaves_less_room_for_every_other_way_but_for_its_own() -> None:
    to = announced()
    quotas.allow(ALICE, len(WHOLE))
    send(to, 1, PARTS[0])
    for holder in (ALICE, quotas.staged(ALICE)):
        services.admit(holder, to.sha256, size_bytes=len(WHOLE))
        services.admit_lengths(holder, [len(WHOLE)])
        with pytest.raises(QuotaExceeded, match="found 10 used and 15 more"):
            services.admit(holder, sha256(b"other"), size_bytes=15)
        with pytest.raises(QuotaExceeded, match="found 10 used and 15 more"):
            services.admit_lengths(holder, [15])
        with pytest.raises(QuotaExceeded):
            services.store(bytes(15), holder=holder)
    with pytest.raises(QuotaExceeded):
        send(Assembly(holder=ALICE, sha256=sha256(b"other"), size_bytes=15), 1, PARTS[0])
    services.store(bytes(14), holder=ALICE)


def test_nothing_waits_of_one_who_left() -> None:
    send(announced(), 1, PARTS[0])
    services.forget_holder(ALICE)
    assert waiting() == []


def test_a_large_file_has_at_most_256_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    of = Assembly(holder=ALICE, sha256="ab" * 32, size_bytes=64 * 1024**3)
    assert (of.count, of.part_bytes) == (256, 256 * 1024**2)
    one_more = Assembly(holder=ALICE, sha256="ab" * 32, size_bytes=8 * 1024**3 + 1)
    assert one_more.count <= 256
    assert one_more.length(one_more.count) + (one_more.count - 1) * one_more.part_bytes == (
        one_more.size_bytes
    )
