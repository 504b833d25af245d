# SPDX-License-Identifier: Apache-2.0
"""Holds a person in place until a transaction ends, for what is kept in their name.

Who leaves (erasing.py) waits for such a transaction and finds all of it; what comes after is told
that they have left. Without it, what was checked before and kept after would bring the name back.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from . import secrets, suspensions
from .errors import TokenRevoked
from .models import Organisation, Token, User

PERSON = "SELECT 1 FROM accounts_user WHERE id = %s AND is_active FOR SHARE"
BEARER = """
    SELECT 1 FROM accounts_user JOIN accounts_token ON accounts_token.user_id = accounts_user.id
    WHERE accounts_token.sha256 = %s AND accounts_token.revoked_at IS NULL
    AND accounts_user.is_active FOR SHARE OF accounts_user, accounts_token
"""
SENDER = """
    SELECT 1 FROM accounts_user JOIN accounts_token ON accounts_token.user_id = accounts_user.id
    WHERE accounts_token.id = %s AND accounts_token.revoked_at IS NULL
    AND accounts_user.is_active FOR SHARE OF accounts_user, accounts_token
"""
ALONE = "SELECT 1 FROM accounts_user WHERE id = %s FOR NO KEY UPDATE"
GONE = "expected a live token; this one was revoked meanwhile"


def stays(person: User) -> bool:
    """That the person is active and not suspended, until the caller's transaction ends.

    The second is asked with the lock, which who suspends them takes alone: what they did, it sees.
    """
    return _is_there(PERSON, person.pk) and not suspensions.is_suspended(person.namespace)


def hold_alone(person: User) -> None:
    """Nothing is kept in their name, and no role given to them, until the transaction ends.

    By who leaves, and where what they have is counted: two that hold one person so wait in turn.
    """
    _is_there(ALONE, person.pk)


def hold_organisations(keys: Collection[int]) -> None:
    """One change at a time of who is in these; always after a person, if one is held at all."""
    rows = Organisation.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    list(rows.values_list("pk", flat=True))


def hold_bearer(header: str | None) -> None:
    """Hold whose token this is; raises TokenRevoked if it was since it was authenticated.

    That it may have expired since does not matter: an upload may take longer than a token lives.
    """
    secret = (header or "").partition(" ")[2].strip()
    if not _is_there(BEARER, secrets.digest(secret)):
        raise TokenRevoked(GONE)


def hold_token(token: Token) -> None:
    """The same, where the token itself is at hand."""
    if not _is_there(SENDER, token.pk):
        raise TokenRevoked(GONE)


def _is_there(query: str, key: int | str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, [key])
        return cursor.fetchone() is not None
