# SPDX-License-Identifier: Apache-2.0
"""What comes at about the same time is done together; who fails or leaves fails no other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import pytest
from django.db import DatabaseError, connection, connections

from registry.api.together import Together


class Turns:
    """Notes what was done together; the first turn waits until it may go on."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.may_go_on = threading.Event()

    def __call__(self, asked: Sequence[int]) -> list[str]:
        self.seen.append(list(asked))
        assert self.may_go_on.wait(60)
        if 13 in asked:
            raise ValueError("no thirteen")
        return [f"{each}!" for each in asked]


class Slow:
    """Notes what was done together; each turn takes 0.4 s."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.seen.append(list(asked))
        time.sleep(0.4)
        return list(asked)


class Backends:
    """Notes which process of the database served each turn; 13 ends that process.

    Each turn says that it has begun, and waits until it may end.
    """

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.began, self.may_end = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, asked: Sequence[int]) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone() or (0,)
            self.seen.append(int(backend))
        if 13 in asked:
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", self.seen[-1:])
        self.began.release()
        assert self.may_end.acquire(timeout=60)
        return list(asked)

    async def serve(self, *numbers: int) -> None:
        """Each comes during the turn of the one before; then nobody does."""
        together = Together(self, most=1)
        tasks: list[asyncio.Task[int]] = []
        for number in numbers:
            tasks.append(asyncio.create_task(together.ask(number)))
            await asyncio.sleep(0)
            if tasks[1:]:
                self.may_end.release()
            assert await asyncio.to_thread(self.began.acquire, timeout=60)
        self.may_end.release()
        await asyncio.gather(*tasks)
        if together._turns is not None:
            await together._turns
        assert await together._in_thread(lambda: connection.connection) is None


async def asked_of(together: Together[int, str], *numbers: int) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(together.ask(number)) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def test_the_first_goes_alone_and_all_that_come_meanwhile_go_together() -> None:
    turns = Turns()
    together = Together(turns, most=3)
    tasks = await asked_of(together, 1)
    await asyncio.sleep(0)
    tasks += await asked_of(together, 2, 3, 4, 5)
    turns.may_go_on.set()
    assert await asyncio.gather(*tasks) == ["1!", "2!", "3!", "4!", "5!"]
    assert turns.seen == [[1], [2, 3, 4], [5]]
    assert await together.ask(6) == "6!"


async def test_those_who_ask_again_at_once_go_together_again() -> None:
    turns = Slow()
    together = Together(turns, most=9)

    async def twice(number: int) -> None:
        await together.ask(number)
        for _ in range(number):  # one after the other: the first of them is not begun with alone
            await asyncio.sleep(0)
        await together.ask(number + 10)

    await asyncio.gather(*map(twice, (1, 2, 3)))
    assert turns.seen == [[1, 2, 3], [11, 12, 13]]


async def test_two_halves_that_wait_for_each_other_become_one() -> None:
    turns = Slow()
    together = Together(turns, most=9)

    async def twice(number: int) -> None:
        await together.ask(number)
        await together.ask(number + 10)

    first = [asyncio.create_task(twice(number)) for number in (1, 2)]
    await asyncio.sleep(0.01)
    others = [asyncio.create_task(together.ask(number)) for number in (3, 4)]
    await asyncio.gather(*first, *others)
    assert turns.seen == [[1, 2], [3, 4, 11, 12]]


async def test_who_comes_late_in_a_turn_waits_for_nobody_of_it() -> None:
    turns = Slow()
    together = Together(turns, most=9)

    async def again() -> None:
        await together.ask(1)
        await asyncio.sleep(0.02)
        await together.ask(11)

    first = asyncio.create_task(again())
    await asyncio.sleep(0.3)
    await asyncio.gather(first, together.ask(2))
    assert turns.seen == [[1], [2], [11]]


async def test_nobody_is_waited_for_who_asks_no_more() -> None:
    turns = Turns()
    turns.may_go_on.set()
    together = Together(turns, most=9)
    await asyncio.gather(*map(together.ask, (1, 2, 3)))
    assert await together.ask(4) == "4!"
    assert turns.seen == [[1, 2, 3], [4]]


async def test_what_a_turn_raises_is_raised_by_all_of_it_and_by_no_other() -> None:
    turns = Turns()
    turns.may_go_on.set()
    together = Together(turns, most=2)
    first, second, third = await asyncio.gather(
        *(together.ask(number) for number in (12, 13, 14)), return_exceptions=True
    )
    assert isinstance(first, ValueError)
    assert isinstance(second, ValueError)
    assert third == "14!"


async def test_who_leaves_is_done_all_the_same() -> None:
    turns = Turns()
    together = Together(turns, most=10)
    leaving, staying = await asked_of(together, 1, 2)
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    turns.may_go_on.set()
    assert await staying == "2!"
    assert turns.seen == [[1, 2]]


async def test_all_of_a_failing_turn_may_have_left() -> None:
    turns = Turns()
    together = Together(turns, most=10)
    (leaving,) = await asked_of(together, 13)
    await asyncio.sleep(0)
    leaving.cancel()
    turns.may_go_on.set()
    assert await together.ask(1) == "1!"


@pytest.mark.django_db(transaction=True)
async def test_turns_keep_their_connection_until_nobody_comes() -> None:
    backends = Backends()
    await backends.serve(1, 2, 3)
    first, *others = backends.seen
    assert others == [first, first]


@pytest.mark.django_db(transaction=True)
async def test_a_connection_that_was_lost_serves_no_other_turn() -> None:
    backends = Backends()
    await backends.serve(1, 13, 2)
    first, second, third = backends.seen
    assert first == second != third


async def test_a_turn_that_cannot_begin_is_told_to_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = Turns()
    turns.may_go_on.set()
    together = Together(turns, most=9)
    with monkeypatch.context() as patched:
        patched.setattr(together._thread, "submit", refuse)
        for each in await asyncio.gather(*map(together.ask, (1, 2)), return_exceptions=True):
            assert isinstance(each, RuntimeError)
    assert await together.ask(3) == "3!"


async def test_who_comes_while_a_connection_cannot_be_given_back_has_a_turn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    turns = Turns()
    turns.may_go_on.set()
    together = Together(turns, most=9)
    loop, others = asyncio.get_running_loop(), asyncio.Queue[asyncio.Task[str]]()

    def come() -> None:
        others.put_nowait(loop.create_task(together.ask(2)))

    def fail() -> None:
        if turns.seen == [[1]]:
            loop.call_soon_threadsafe(come)
        refuse()

    monkeypatch.setattr(connections, "close_all", fail)
    assert await together.ask(1) == "1!"
    assert await (await others.get()) == "2!"
    assert "could not be given back" in caplog.text


def refuse(*_: object) -> None:
    raise RuntimeError("no more threads")
