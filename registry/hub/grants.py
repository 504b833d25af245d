# SPDX-License-Identifier: Apache-2.0
"""Addresses that authorise one transfer by themselves: clients of git-lfs send no token there.

A grant names the digest, the size and the token in whose name it was given, and is signed; it is
good for those bytes alone, in one direction, for some hours, and for no longer than the token.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

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
# Clients ask for all of a commit's files at once, and send the last hours after the first.
GOOD_FOR = timedelta(hours=6)


class GrantRefused(Problem):
    """The address was not made here, or not for this, or too long ago."""

    code = "grant-refused"
    title = "This address does not authorise the transfer"
    status_code = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Who may upload what."""

    sha256: str
    size_bytes: int
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class PartGrant:
    """Who may upload which part of what; number 0 is all of them together."""

    sha256: str
    size_bytes: int
    token: Token
    number: int


def give(token: Token, *, sha256: str, size_bytes: int) -> str:
    """The last part of the address."""
    return signing.dumps([sha256, size_bytes, token.pk], salt=SALT)


def take(text: str) -> Grant:
    """What was given; raises GrantRefused, or InvalidToken when the token is no longer good."""
    grant = _taken(text, SALT)
    tokens.require(grant.token, Scope.PUBLISH)
    return grant


def give_part(token: Token, *, sha256: str, size_bytes: int, number: int) -> str:
    """The last part of the address of one part of a file; of 0, of what makes them one."""
    return signing.dumps([sha256, size_bytes, token.pk, number], salt=PARTS)


def take_part(text: str) -> PartGrant:
    """What was given; raises as `take`."""
    sha256, size_bytes, token_id, number = _said(text, PARTS)
    token = _live(token_id)
    tokens.require(token, Scope.PUBLISH)
    return PartGrant(sha256=sha256, size_bytes=size_bytes, token=token, number=number)


def lend(token: Token, *, sha256: str, size_bytes: int) -> str:
    """The last part of the address that private bytes are read at."""
    return signing.dumps([sha256, size_bytes, token.pk], salt=LOANS)


def borrow(text: str) -> Grant:
    """What was lent; raises as `take`. Whether it may still be read is for the catalogue to say."""
    return _taken(text, LOANS)


def _taken(text: str, salt: str) -> Grant:
    sha256, size_bytes, token_id = _said(text, salt)
    return Grant(sha256=sha256, size_bytes=size_bytes, token=_live(token_id))


def _said(text: str, salt: str) -> Any:  # noqa: ANN401 - what we signed ourselves, by its salt
    try:
        return signing.loads(text, salt=salt, max_age=GOOD_FOR)
    except signing.SignatureExpired as error:
        raise GrantRefused(
            f"expected an address of the last {GOOD_FOR.seconds // 3600} hours, found an older one"
        ) from error
    except signing.BadSignature as error:
        raise GrantRefused("expected an address that the registry gave, found another") from error


def _live(token_id: int) -> Token:
    token = accounts.token(token_id)
    if token is None or not token.is_live(timezone.now()) or not token.user.is_active:
        raise TokenRevoked("expected a live token behind the address; it was revoked or expired")
    return token
