# SPDX-License-Identifier: Apache-2.0
"""Does something in another thread, with a database connection of its own that ends with it.

`blocked` says which of them wait for a lock that another one has.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection, connections


def elsewhere(act: Callable[[], object], *, is_awaited: bool = True) -> threading.Thread:
    """The thread, which has finished unless it is not awaited; `join` raises what it raised."""
    thread = _Thread(act)
    thread.start()
    if is_awaited:
        thread.join()
    return thread


def blocked() -> list[int]:
    """The database sessions that wait for a lock, as they are by now, in a transaction too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT pid FROM pg_locks WHERE NOT granted")
        return [pid for (pid,) in cursor.fetchall()]


class _Thread(threading.Thread):
    """`join` raises what was raised inside."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act = act
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._act()
        except BaseException as error:  # noqa: BLE001 - raised again by `join`
            self._error = error
        finally:
            connections.close_all()

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        if self._error is not None:
            raise self._error
