# SPDX-License-Identifier: Apache-2.0
"""Tokens: issued once, shown once, looked up by digest, and told apart when they do not open."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from registry.audit import services as audit

from . import secrets, suspensions
from .errors import (
    InvalidTokenRequest,
    NotAllowed,
    ScopeMissing,
    TokenExpired,
    TokenMalformed,
    TokenRevoked,
    TokenUnknown,
    TooManyTokens,
    Unauthenticated,
)
from .models import Scope, Token, User

# A write for each request would cost more than the request.
LAST_USED_EVERY = timedelta(minutes=1)
MAX_LABEL_CHARACTERS = 80
DEFAULT_DAYS, MAX_DAYS = 30, 366
# One page of the list (http.md): a lost token is found by looking through them.
MAX_LIVE_TOKENS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The one project that a token is for, and in whose name: no person's."""

    project: str
    holder: str


ANYWHERE = Binding(project="", holder="")


def issue_token(
    user: User,
    label: str,
    scopes: Iterable[str],
    expires_at: datetime,
    *,
    binding: Binding = ANYWHERE,
) -> tuple[Token, str]:
    """The token and its secret, which nobody can ask for again.

    Raises TooManyTokens, or Suspended.
    """
    wanted = _known(scopes)
    if expires_at <= timezone.now():
        raise InvalidTokenRequest(f"expected an expiry in the future, found {expires_at:%Y-%m-%d}")
    if not label.strip() or len(label) > MAX_LABEL_CHARACTERS:
        raise InvalidTokenRequest("expected a label of 1 to 80 characters")
    secret = secrets.generate()
    with transaction.atomic():
        _check_number(user, binding)
        suspensions.check(user.namespace)
        token = Token.objects.create(
            user=user,
            label=label,
            project=binding.project,
            holder=binding.holder,
            sha256=secrets.digest(secret),
            scopes=wanted,
            expires_at=expires_at,
        )
        details = {"label": label, "scopes": wanted, "expires_at": expires_at.isoformat()}
        if binding.project:
            details = {**details, "project": binding.project}
        audit.record(token.actor, "token.issue", f"token:{token.pk}", details)
    return token, secret


def issue_own_token(
    person: User, label: str, scopes: Iterable[str], expires_at: datetime
) -> tuple[Token, str]:
    """As `issue_token`, for a person in a browser; raises NotAllowed for an operator's scope."""
    wanted = tuple(scopes)
    if Scope.GENERATION in wanted and not person.is_staff:
        raise NotAllowed("expected an operator: only they issue tokens for generation")
    return issue_token(person, label, wanted, expires_at)


def revoke_token(token: Token, *, by: str) -> None:
    """From now on the token opens nothing; a second time changes nothing."""
    with transaction.atomic():
        live = Token.objects.filter(pk=token.pk, revoked_at=None)
        if live.update(revoked_at=timezone.now()):
            audit.record(by, "token.revoke", f"token:{token.pk}", {"label": token.label})


def revoke_tokens_of(holder: str, *, by: str) -> None:
    """Revoke every live token that acts in this name."""
    for token in Token.objects.select_related("user").filter(holder=holder, revoked_at=None):
        revoke_token(token, by=by)


def authenticate(header: str | None, *, now: datetime) -> Token | None:
    """The live token in an Authorization header; None where there is no Bearer header at all.

    Raises a subclass of InvalidToken that says what is wrong to whoever holds the secret.
    """
    scheme, _, secret = (header or "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    secret = secret.strip()
    if not secrets.is_well_formed(secret):
        raise TokenMalformed(
            "expected `assay_` and 38 letters and digits whose checksum is right; "
            "found something else (part of it may be missing)"
        )
    token = _by_secret(secret)
    if token.revoked_at is not None or not token.user.is_active:
        raise TokenRevoked("expected a live token; this one was revoked")
    if not token.is_live(now):
        raise TokenExpired(f"expected a live token; this one expired {token.expires_at:%Y-%m-%d}")
    _mark_used(token, now)
    return token


def require(token: Token | None, *scopes: str) -> Token:
    """The token, if it has one of the scopes."""
    if token is None:
        raise Unauthenticated(f"expected a token with scope {' or '.join(scopes)}, found none")
    if not set(scopes) & set(token.scopes):
        found = ", ".join(token.scopes)
        raise ScopeMissing(f"expected scope {' or '.join(scopes)}; this token has {found}")
    return token


def _check_number(user: User, binding: Binding) -> None:
    """Under the person's lock, or two at once would both see the last place free."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    own = Token.objects.filter(user=user, holder=binding.holder)
    live = own.filter(revoked_at=None, expires_at__gt=timezone.now()).count()
    if live >= MAX_LIVE_TOKENS:
        raise TooManyTokens(
            f"expected fewer than {MAX_LIVE_TOKENS} live tokens, found {live}; revoke one first"
        )


def _by_secret(secret: str) -> Token:
    sha256 = secrets.digest(secret)
    token = Token.objects.select_related("user__namespace").filter(sha256=sha256).first()
    # The index lookup already compared; this one takes the same time wherever they differ.
    if token is None or not hmac.compare_digest(token.sha256, sha256):
        raise TokenUnknown("expected a token that this registry issued; this one is unknown here")
    return token


def _mark_used(token: Token, now: datetime) -> None:
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_EVERY:
        Token.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _known(scopes: Iterable[str]) -> list[str]:
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        expected = ", ".join(Scope.values)
        raise InvalidTokenRequest(f"expected scopes from: {expected}; found {wanted!r}")
    return wanted
