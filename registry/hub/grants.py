# SPDX-License-Identifier: Apache-2.0
"""Addresses that authorise one transfer by themselves: clients of git-lfs send no token there.

A grant names the digest, the size and the token in whose name it was given, and is signed; it is
good for those bytes alone, in one direction, for some hours, and for no longer than the token.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.core import signing
from django.utils import timezone

from registry.accounts import queries as accounts
from registry.accounts import tokens
from registry.accounts.errors import TokenRevoked
from registry.accounts.queries import Scope, Token
from registry.api.problems import Problem

PREFIX = "/api/lfs/objects/"
SALT = "registry.hub.grants"
LOANS = "registry.hub.loans"  # what is to be read is no address to write to
PARTS = "registry.hub.parts"
WHOLE = 0  # in the place of a part's number: the address that makes them one
# Clients ask for all of a commit's files at once, and send the last hours after the first.
GOOD_FOR = timedelta(hours=6)


class GrantRefused(Problem):
    """The address was not made here, or not for this, or too long ago."""

    code = "grant-refused"
    title = "This address does not authorise the transfer"
    status_code = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Who may upload what; where it goes in parts, which of them, or `WHOLE`."""

    sha256: str
    size_bytes: int
    token: Token
    number: int


def give(token: Token, *, sha256: str, size_bytes: int) -> str:
    """The last part of the address."""
    return signing.dumps([sha256, size_bytes, token.pk], salt=SALT)


def take(text: str) -> Grant:
    """What was given; raises GrantRefused, or InvalidToken when the token is no longer good."""
    return _writer(_taken(text, SALT))


def give_part(token: Token, *, sha256: str, size_bytes: int, number: int) -> str:
    """The last part of the address of one part of a file; of `WHOLE`, of what makes them one."""
    return signing.dumps([sha256, size_bytes, token.pk, number], salt=PARTS)


def take_part(text: str) -> Grant:
    """What was given; raises as `take`."""
    return _writer(_taken(text, PARTS))


def lend(token: Token, *, sha256: str, size_bytes: int) -> str:
    """The last part of the address that private bytes are read at."""
    return signing.dumps([sha256, size_bytes, token.pk], salt=LOANS)


def borrow(text: str) -> Grant:
    """What was lent; raises as `take`. Whether it may still be read is for the catalogue to say."""
    return _taken(text, LOANS)


def _writer(grant: Grant) -> Grant:
    tokens.require(grant.token, Scope.PUBLISH)
    return grant


def _taken(text: str, salt: str) -> Grant:
    try:
        sha256, size_bytes, token_id, *part = signing.loads(text, salt=salt, max_age=GOOD_FOR)
    except signing.SignatureExpired as error:
        raise GrantRefused(
            f"expected an address of the last {GOOD_FOR.seconds // 3600} hours, found an older one"
        ) from error
    except signing.BadSignature as error:
        raise GrantRefused("expected an address that the registry gave, found another") from error
    number = part[0] if part else WHOLE
    return Grant(sha256=sha256, size_bytes=size_bytes, token=_live(token_id), number=number)


def _live(token_id: int) -> Token:
    token = accounts.token(token_id)
    if token is None or not token.is_live(timezone.now()) or not token.user.is_active:
        raise TokenRevoked("expected a live token behind the address; it was revoked or expired")
    return token
