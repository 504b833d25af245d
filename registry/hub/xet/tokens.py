# SPDX-License-Identifier: Apache-2.0
"""Xet's tokens: signed, for a quarter of an hour, one project and branch, and whoever asked.

They carry the number of the registry's own token, which is looked at again wherever something is
written: a token that was revoked, or a person who acts for the project no more, ends them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.utils import timezone

from registry.accounts import queries as accounts
from registry.accounts.queries import Token
from registry.catalog.queries import Project
from registry.catalog.queries.revisions import PULLS

from ..callers import Caller, check_sends, check_writes, project
from .errors import XetTokenReadsOnly, XetTokenRefused

SALT = "registry.hub.xet"
# Clients ask for another one half a minute before it ends, and again when they are told 401.
GOOD_FOR = timedelta(minutes=15)
ANYBODY = 0
PROPOSED = PULLS  # in the place of a branch: any pull request's, for there may be none yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a token of Xet's says."""

    token_id: int
    project: str
    branch: str
    may_write: bool


def give(token: Token | None, of: Project, branch: str, *, may_write: bool) -> tuple[str, datetime]:
    """A token, and when it ends."""
    token_id = token.pk if token else ANYBODY
    text = signing.dumps([token_id, of.full_name, branch, may_write], salt=SALT)
    return text, timezone.now() + GOOD_FOR


def take(authorization: str | None) -> Pass:
    """What was given; raises XetTokenRefused. Asks no database."""
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise XetTokenRefused("expected a token of xet-write-token, found none")
    try:
        token_id, full_name, branch, may_write = signing.loads(
            text.strip(), salt=SALT, max_age=GOOD_FOR
        )
    except signing.SignatureExpired as error:
        raise XetTokenRefused(
            f"expected a token of the last {GOOD_FOR.seconds // 60} minutes, found an older one"
        ) from error
    except signing.BadSignature as error:
        raise XetTokenRefused(
            "expected a token that xet-write-token of this registry gave, found another"
        ) from error
    return Pass(token_id=token_id, project=full_name, branch=branch, may_write=may_write)


def writer(of: Pass) -> Token:
    """The registry's token behind it, which may write there at this moment.

    Raises XetTokenReadsOnly, XetTokenRefused, or what a commit there would be refused with.
    """
    if not of.may_write:
        raise XetTokenReadsOnly("expected a token of xet-write-token, found one for reading")
    token = accounts.token(of.token_id)
    if token is None or not token.is_live(timezone.now()) or not token.user.is_active:
        raise XetTokenRefused("expected a live token behind this one; it was revoked or expired")
    owner, _, name = of.project.partition("/")
    by = Caller(token=token)
    return (check_sends if of.branch == PROPOSED else check_writes)(by, project(by, owner, name))
