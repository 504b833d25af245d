# SPDX-License-Identifier: Apache-2.0
"""What is removed was needed by nobody, and no file that is needed goes, whoever hurries."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connections, transaction

from registry.storage import services, tasks
from registry.storage.errors import BlobLost
from registry.storage.files import Part, path_of
from registry.storage.models import Blob

HELLO = b"hello"
SHA256 = hashlib.sha256(HELLO).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()
HELD_SECONDS = 0.5
pytestmark = pytest.mark.django_db(transaction=True)


def nobody_needs(_digests: Collection[str]) -> frozenset[str]:
    return frozenset()


def everybody_needs(digests: Collection[str]) -> frozenset[str]:
    return frozenset(digests)


def drop() -> None:
    with transaction.atomic():
        services.drop([SHA256], needed=nobody_needs)


def elsewhere(workers: ThreadPoolExecutor, work: Callable[[], object]) -> Future[object]:
    """On a connection of its own."""

    def run() -> object:
        try:
            return work()
        finally:
            connections.close_all()

    return workers.submit(run)


def age(sha256: str, days: int = 2) -> Path:
    path, then = path_of(sha256), (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(path, (then, then))
    return path


def is_here() -> tuple[bool, bool]:
    """Row and file."""
    return Blob.objects.filter(pk=SHA256).exists(), path_of(SHA256).exists()


def test_row_and_file_go_together() -> None:
    services.store(HELLO, holder=services.OURSELVES)
    drop()
    assert is_here() == (False, False)


def test_what_is_held_or_needed_stays() -> None:
    services.store(HELLO, holder="user:alice")
    drop()
    services.forget_holder("user:alice")
    with transaction.atomic():
        services.drop([SHA256], needed=everybody_needs)
    assert is_here() == (True, True)


def test_a_rollback_removes_nothing() -> None:
    services.store(HELLO, holder=services.OURSELVES)
    with transaction.atomic():
        services.drop([SHA256], needed=nobody_needs)
        transaction.set_rollback(True)
    assert is_here() == (True, True)


def test_whoever_removes_waits_for_who_names_it_and_asks_then() -> None:
    services.store(HELLO, holder=services.OURSELVES)
    names: set[str] = set()

    def remove() -> None:
        with transaction.atomic():
            services.drop([SHA256], needed=lambda _: frozenset(names))

    with ThreadPoolExecutor(1) as workers:
        with transaction.atomic():
            assert services.hold([SHA256, OTHER]) == {SHA256}
            removing = elsewhere(workers, remove)
            with pytest.raises(NotYet):
                removing.result(HELD_SECONDS)
            names.add(SHA256)  # as rows of files are, by the commit
        removing.result()
    assert is_here() == (True, True)


def test_who_sends_what_is_being_removed_waits_and_has_it() -> None:
    services.store(HELLO, holder=services.OURSELVES)
    with ThreadPoolExecutor(1) as workers:
        with transaction.atomic():
            services.drop([SHA256], needed=nobody_needs)
            sending = elsewhere(workers, lambda: services.store(HELLO, holder="user:alice"))
            with pytest.raises(NotYet):
                sending.result(HELD_SECONDS)
        sending.result()
    assert is_here() == (True, True)
    assert services.holds("user:alice", SHA256)


def test_what_came_again_before_its_file_was_removed_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services.store(HELLO, holder=services.OURSELVES)
    unlinking: list[Callable[[], None]] = []
    with monkeypatch.context() as patch:
        patch.setattr(transaction, "on_commit", lambda work, **_: unlinking.append(work))
        drop()
    assert is_here() == (False, True)
    services.store(HELLO, holder="user:alice")
    unlinking[0]()
    assert is_here() == (True, True)


def test_a_row_is_refused_to_what_was_removed_without_one() -> None:
    with Part() as part:
        part.write(HELLO)
        part.keep()
    path_of(SHA256).unlink()
    with pytest.raises(BlobLost, match="send it again"):
        services.record({SHA256: 5}, holder="system")
    assert is_here() == (False, False)


def test_the_sweep_removes_old_files_without_a_row() -> None:
    services.store(b"other", holder="user:alice")
    age(OTHER)
    with Part() as part:
        part.write(HELLO)
        part.keep()
    tasks.sweep_orphans()
    assert path_of(SHA256).exists()  # its row may be on its way
    age(SHA256)
    assert services.sweep_orphans(now=datetime.now(UTC)) == 1
    assert (path_of(SHA256).exists(), path_of(OTHER).exists()) == (False, True)


def test_the_sweep_removes_nothing_beside_an_empty_database() -> None:
    with Part() as part:
        part.write(HELLO)
        part.keep()
    age(SHA256)
    assert services.sweep_orphans(now=datetime.now(UTC)) == 0
    assert path_of(SHA256).exists()
