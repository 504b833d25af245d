# SPDX-License-Identifier: Apache-2.0
"""What one process at a time is at: locks of a database session, which end with it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection


@contextmanager
def alone(*key: int) -> Iterator[bool]:
    """Whether nobody else holds this key, who does not get it meanwhile; it never waits.

    A key is one number of 64 bits, or two of 32, signed. However this process ends, nobody stays
    locked out; a session that is lost meanwhile has lost the key.
    """
    is_alone = _ask("pg_try_advisory_lock", key)
    try:
        yield is_alone
    finally:
        if is_alone:
            with suppress(Error):  # the session has ended, and the lock with it
                _ask("pg_advisory_unlock", key)


def _ask(function: str, key: tuple[int, ...]) -> bool:
    with connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(key))
        cursor.execute(f"SELECT {function}({places})", key)
        (said,) = cursor.fetchone() or (False,)
    return bool(said)
