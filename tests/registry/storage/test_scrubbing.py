# SPDX-License-Identifier: Apache-2.0
"""Bytes rot: found by reading them again, never served, repaired from the second copy if it can."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from registry.audit.models import AuditRow
from registry.storage import scrubbing, services, tasks
from registry.storage.errors import BlobDamaged, BlobLost, ScrubRunning
from registry.storage.files import path_of
from registry.storage.folder import Folder
from registry.storage.models import Blob, Scrub
from registry.storage.places import Place
from registry.storage.scrubbing import Pace
from tests.registry.callers import call, in_database
from tests.registry.storage.test_removing import elsewhere
from tests.registry.storage.world import World, streams

CONTENTS = tuple(number.to_bytes(2, "big") * 1000 for number in range(5))
DIGESTS = sorted(hashlib.sha256(content).hexdigest() for content in CONTENTS)


@pytest.fixture
def second(tmp_path: Path, settings: Settings) -> Folder:
    """A second copy in a folder beside the first."""
    folder = tmp_path / "second"
    folder.mkdir()
    settings.SECOND_COPY = str(folder)
    return Folder(root=folder)


def fill() -> None:
    for content in CONTENTS:
        services.store(content, holder="user:alice")


def flip(path: Path, at: int = 700) -> None:
    """One bit."""
    content = bytearray(path.read_bytes())
    content[at] ^= 0b100
    path.write_bytes(content)


def command(*words: str) -> tuple[dict[str, object], str]:
    """What it prints as JSON, and how it fails."""
    out = io.StringIO()
    try:
        call_command("storage", "scrub", "--json", *words, stdout=out)
    except CommandError as error:
        return json.loads(out.getvalue()), str(error)
    return json.loads(out.getvalue()), ""


def actions() -> list[tuple[str, str]]:
    return list(AuditRow.objects.order_by("pk").values_list("action", "subject"))


def test_what_is_sound_is_said_to_be(db: None) -> None:
    fill()
    outcome, failure = command()
    assert outcome == {
        "blobs": 5,
        "size_bytes": 10_000,
        "damaged": 0,
        "repaired": 0,
        "copied": 0,
        "unrepaired": [],
    }
    assert failure == ""
    assert [action for action, _ in actions()] == ["storage.scrub"]


def test_a_flipped_bit_without_a_copy_is_found_kept_from_everybody_and_said(db: None) -> None:
    fill()
    flip(path_of(DIGESTS[2]))
    outcome, failure = command()
    assert (outcome["damaged"], outcome["repaired"]) == (1, 0)
    assert outcome["unrepaired"] == [DIGESTS[2]]
    assert "1 blobs are damaged and no copy of them is sound" in failure
    with pytest.raises(BlobDamaged, match="kept from everybody; send the file again"):
        services.open_blob(DIGESTS[2])
    with pytest.raises(BlobDamaged), services.local(DIGESTS[2]):
        pytest.fail("a damaged blob was lent")
    for digest in (DIGESTS[1], DIGESTS[3]):
        services.open_blob(digest).close()
    assert actions()[0] == ("blob.damage", DIGESTS[2])


@pytest.mark.django_db(transaction=True)
async def test_whoever_asks_for_damaged_bytes_is_told_to_wait(world: World) -> None:
    await in_database(fill)
    await in_database(lambda: flip(path_of(DIGESTS[0])))
    await in_database(scrubbing.scrub)
    url, alice = f"/api/v1/blobs/sha256:{DIGESTS[0]}", {"Authorization": "Bearer alice"}
    answer = await call(streams(world), "GET", url, headers=alice)
    assert (answer.status, answer.problem["code"]) == (503, "blob-damaged")
    content = next(each for each in CONTENTS if hashlib.sha256(each).hexdigest() == DIGESTS[0])
    length = {**alice, "Content-Length": str(len(content))}
    assert (await call(streams(world), "PUT", url, headers=length, pieces=[content])).status == 200
    assert (await call(streams(world), "GET", url, headers=alice)).body == content
    assert await in_database(scrubbing.damaged) == []


def test_a_flipped_bit_is_repaired_from_the_second_copy(db: None, second: Folder) -> None:
    fill()
    flip(path_of(DIGESTS[4]))
    outcome, failure = command()
    assert (outcome["damaged"], outcome["repaired"], outcome["unrepaired"]) == (1, 1, [])
    assert failure == ""
    with services.open_blob(DIGESTS[4]) as file:
        assert hashlib.sha256(file.read()).hexdigest() == DIGESTS[4]
    assert [action for action, _ in actions()] == ["blob.damage", "blob.repair", "storage.scrub"]


def test_a_lost_file_is_found_and_repaired_too(db: None, second: Folder) -> None:
    fill()
    path_of(DIGESTS[0]).unlink()
    assert command()[0]["repaired"] == 1
    services.open_blob(DIGESTS[0]).close()


def test_two_damaged_copies_repair_nothing_and_the_next_pass_tries_again(
    db: None, second: Folder
) -> None:
    fill()
    flip(path_of(DIGESTS[1]))
    flip(second.path(DIGESTS[1]), at=3)
    assert command()[0]["unrepaired"] == [DIGESTS[1]]
    flip(second.path(DIGESTS[1]), at=3)  # as it was
    assert command()[0]["unrepaired"] == []
    assert [action for action, _ in actions()].count("blob.damage") == 1


def test_a_rotten_or_missing_second_copy_is_written_anew(db: None, second: Folder) -> None:
    fill()
    flip(second.path(DIGESTS[3]))
    second.remove(DIGESTS[2])
    outcome, _ = command()
    assert (outcome["damaged"], outcome["copied"]) == (0, 2)
    for digest in (DIGESTS[2], DIGESTS[3]):
        assert hashlib.sha256(second.path(digest).read_bytes()).hexdigest() == digest
    assert command()[0]["copied"] == 0


def test_while_the_second_copy_is_gone_the_first_is_read_all_the_same(
    db: None, second: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    fill()
    second.root.rename(second.root.with_name("away"))
    outcome, failure = command()
    assert (outcome["blobs"], outcome["copied"], failure) == (5, 0, "")
    assert f"the second copy of sha256:{DIGESTS[0]} is not written" in caplog.text
    second.root.with_name("away").rename(second.root)
    assert command()[0]["copied"] == 0
    assert not Blob.objects.filter(is_copied=False).exists()


def test_what_is_sent_again_while_it_is_read_is_not_taken_for_damaged(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill()
    flip(path_of(DIGESTS[0]))
    is_sound = scrubbing._is_sound

    def meanwhile(place: Place, sha256: str, pace: Pace) -> bool:
        found = is_sound(place, sha256, pace)
        fill()
        return found

    monkeypatch.setattr(scrubbing, "_is_sound", meanwhile)
    outcome, failure = command()
    assert (outcome["damaged"], outcome["unrepaired"], failure) == (0, [], "")
    services.open_blob(DIGESTS[0]).close()


def test_a_file_that_an_operator_put_back_is_repaired(db: None) -> None:
    fill()
    path = path_of(DIGESTS[0])
    flip(path)
    assert command()[0]["unrepaired"] == [DIGESTS[0]]
    path.write_bytes(next(one for one in CONTENTS if hashlib.sha256(one).hexdigest() == path.name))
    outcome, failure = command()
    assert (outcome["damaged"], outcome["repaired"], failure) == (0, 1, "")


def test_it_goes_on_where_it_stopped_and_begins_anew_after_its_end(db: None) -> None:
    fill()
    first = scrubbing.scrub(most_bytes=2001)
    assert (first.blobs, first.position, first.ended_at) == (2, DIGESTS[1], None)
    flip(path_of(DIGESTS[0]))  # read already
    again = scrubbing.scrub()
    assert (again.pk, again.blobs, again.damaged) == (first.pk, 5, 0)
    assert again.ended_at is not None
    assert scrubbing.scrub().damaged == 1
    assert Scrub.objects.count() == 2


def test_a_task_reads_a_piece_and_rests_for_a_week_after_all(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill()
    monkeypatch.setattr(tasks, "SCRUB_BYTES", 4000)
    for _ in range(5):
        tasks.scrub()
    (found,) = Scrub.objects.all()
    assert found.blobs == 5
    assert found.ended_at is not None
    Scrub.objects.update(ended_at=found.ended_at - tasks.SCRUB_EVERY)
    tasks.scrub()
    assert Scrub.objects.count() == 2


@pytest.mark.parametrize(("code", "is_damage"), [(errno.EIO, True), (errno.EMFILE, False)])
def test_what_the_disk_says_is_damage_and_what_ails_us_is_not(
    db: None, monkeypatch: pytest.MonkeyPatch, code: int, *, is_damage: bool
) -> None:
    fill()

    def fails(_self: Folder, _sha256: str) -> BinaryIO:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "open", fails)
        if is_damage:
            assert command()[0]["damaged"] == len(CONTENTS)
            return
        with pytest.raises(OSError, match="Too many open files"):
            scrubbing.scrub()
    assert scrubbing.damaged() == []
    assert command()[0]["blobs"] == len(CONTENTS)


def test_a_rate_is_kept(db: None) -> None:
    fill()
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    scrubbing.scrub(pace=Pace(rate_bytes=500, clock=lambda: now[0], sleep=sleep))
    assert now[0] == pytest.approx(10_000 / 500)


@pytest.mark.parametrize("rate", ["fast", "0", "-1"])
def test_what_is_no_rate_is_said(db: None, rate: str) -> None:
    with pytest.raises(CommandError, match=f"like 500K or 50M, found '{rate}'"):
        call_command("storage", "scrub", f"--rate={rate}")


def test_people_read_counts_and_what_is_damaged(db: None) -> None:
    fill()
    flip(path_of(DIGESTS[0]))
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("storage", "scrub", "--rate", "1G", stdout=out)
    assert "blobs       5" in out.getvalue()
    assert f"damaged     sha256:{DIGESTS[0]}" in out.getvalue()


def test_what_has_a_row_but_was_never_here_is_lost(db: None) -> None:
    fill()
    Blob.objects.create(sha256="0" * 64, size_bytes=1)
    assert command()[0]["unrepaired"] == ["0" * 64]
    with pytest.raises(BlobLost) as refusal:
        services.open_blob("0" * 64)
    assert refusal.value.status_code == 500


@pytest.mark.django_db(transaction=True)
def test_one_at_a_time_reads_them_again() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [scrubbing.SCRUB_LOCK])
    with ThreadPoolExecutor(1) as workers:
        elsewhere(workers, tasks.scrub).result()
        with pytest.raises(ScrubRunning, match="expected no other scrub at this moment"):
            elsewhere(workers, scrubbing.scrub).result()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [scrubbing.SCRUB_LOCK])
    scrubbing.scrub()
