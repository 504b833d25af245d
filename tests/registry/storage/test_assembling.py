# SPDX-License-Identifier: Apache-2.0
"""A blob in parts: whole and kept, or parts that wait, or nothing; never half of one."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from assay.signing.digests import sha256
from registry.storage import assembling, services
from registry.storage.assembling import Assembly
from registry.storage.errors import DigestMismatch, InvalidDigest, PartMissing, UploadUnknown
from registry.storage.files import Part, parts_folder
from registry.storage.models import Blob

pytestmark = pytest.mark.django_db

PARTS = (b"first part", b"secnd part", b"last")
WHOLE = b"".join(PARTS)
ETAGS = [sha256(part) for part in PARTS]
ALICE = "user:alice"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembling, "PART_BYTES", 10)
    monkeypatch.setattr(assembling, "CHUNK_BYTES", 1)


def announced(content: bytes = WHOLE, size_bytes: int = len(WHOLE)) -> Assembly:
    return Assembly(holder=ALICE, sha256=sha256(content), size_bytes=size_bytes)


def send(to: Assembly, number: int, content: bytes) -> None:
    with Part() as part:
        part.write(content)
        assembling.put(to, number, part)


def keep(part: Part) -> None:
    services.keep(part, holder=ALICE)


def waiting() -> list[Path]:
    return list((parts_folder() / ".assembled").glob("*/*/*"))


def test_parts_in_any_order_and_twice_become_the_blob() -> None:
    to = announced()
    assert (to.count, [to.length(number) for number in (1, 2, 3)]) == (3, [10, 10, 4])
    for number in (3, 1, 2, 1):
        send(to, number, PARTS[number - 1])
    assembling.join(to, ETAGS, keep=keep)
    with services.open_blob(to.sha256) as blob:
        assert blob.read() == WHOLE
    assert waiting() == []
    assert not to.folder.exists()


def test_a_part_is_the_one_that_came_last() -> None:
    to = announced()
    send(to, 1, b"wrong part")
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)
    assert len(waiting()) == 3
    assembling.join(to, ETAGS, keep=keep)


def test_what_is_missing_or_another_is_said_and_the_rest_waits() -> None:
    to = announced()
    send(to, 1, PARTS[0])
    send(to, 2, b"otherbytes")
    with pytest.raises(PartMissing, match=f"expected part 2 .* {ETAGS[1]}.* and 1 more"):
        assembling.join(to, ETAGS, keep=keep)
    with pytest.raises(PartMissing, match="expected 3 parts, found 1"):
        assembling.join(to, ETAGS[:1], keep=keep)
    with pytest.raises(InvalidDigest):
        assembling.join(to, ["../../x"], keep=keep)
    assert len(waiting()) == 2
    assert not Blob.objects.exists()


def test_of_other_bytes_than_were_announced_nothing_stays() -> None:
    to = announced(b"something else")
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)
    with pytest.raises(DigestMismatch, match=f"expected sha256:{to.sha256}"):
        assembling.join(to, ETAGS, keep=keep)
    assert waiting() == []
    with pytest.raises(UploadUnknown, match="found none: none came"):
        assembling.join(to, ETAGS, keep=keep)
    assert not Blob.objects.exists()


def test_where_it_cannot_be_kept_now_the_parts_wait_and_it_is_tried_again() -> None:
    to = announced()
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)

    def fails(_: Part) -> None:
        with pytest.raises(UploadUnknown, match="somebody joins them just now"):
            assembling.join(to, ETAGS, keep=keep)
        raise OSError("a disk")

    with pytest.raises(OSError, match="a disk"):
        assembling.join(to, ETAGS, keep=fails)
    assert len(waiting()) == 3
    assembling.join(to, ETAGS, keep=keep)
    assert Blob.objects.get().sha256 == to.sha256


def test_a_part_that_is_replaced_while_they_are_joined_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    to = announced()
    for number, content in enumerate(PARTS, 1):
        send(to, number, content)
    monkeypatch.setattr(assembling, "check_room", lambda _: send(to, 2, b"otherbytes"))
    with pytest.raises(PartMissing, match="found it replaced"):
        assembling.join(to, ETAGS, keep=keep)
    assert len(waiting()) == 3
    assert not Blob.objects.exists()


def test_what_nobody_joins_is_swept_after_a_day_and_counted_until_then() -> None:
    to, now = announced(), timezone.now()
    send(to, 1, PARTS[0])
    assert (assembling.waiting_bytes(ALICE), assembling.waiting_bytes("user:bob")) == (10, 0)
    assert assembling.waiting_bytes(ALICE, but=to.sha256) == 0
    assert services.sweep(now=now) == 0
    old = (now - timedelta(days=1, minutes=1)).timestamp()
    os.utime(to.folder, (old, old))
    assert services.sweep(now=now) == 1
    assert waiting() == []


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
