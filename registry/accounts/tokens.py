# SPDX-License-Identifier: Apache-2.0
"""Tokens: issued once, shown once, looked up by digest, and told apart when they do not open."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from registry.audit import services as audit
from registry.prepared import Among, Prepared

from . import secrets, suspensions
from .errors import (
    InvalidToken,
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
MAX_PROJECTS = 20  # more are hardly chosen one by one; then it is the caller who is limited
FULL_NAME = re.compile(r"[a-z0-9-]{2,39}/[a-z0-9._-]{1,100}")
_BY_DIGEST = Prepared(
    lambda digests: Token.objects.select_related("user__namespace").filter(
        Among(F("sha256"), digests)
    )
)


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
    projects: Iterable[str] = (),
) -> tuple[Token, str]:
    """The token and its secret, which nobody can ask for again.

    With `projects` it signs outputs of their checkpoints, and nothing else.
    Raises TooManyTokens, or Suspended.
    """
    wanted = _known(scopes)
    limits = _limits(projects, wanted)
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
            projects=limits,
            sha256=secrets.digest(secret),
            scopes=wanted,
            expires_at=expires_at,
        )
        details = {"label": label, "scopes": wanted, "expires_at": expires_at.isoformat()}
        if binding.project:
            details = {**details, "project": binding.project}
        if limits:
            details = {**details, "projects": limits}
        audit.record(token.actor, "token.issue", f"token:{token.pk}", details)
    return token, secret


def issue_own_token(
    person: User,
    label: str,
    scopes: Iterable[str],
    expires_at: datetime,
    *,
    projects: Iterable[str] = (),
) -> tuple[Token, str]:
    """As `issue_token`, for a person in a browser; raises NotAllowed for an operator's scope."""
    wanted = tuple(scopes)
    if Scope.GENERATION in wanted and not person.is_staff:
        raise NotAllowed("expected an operator: only they issue tokens for generation")
    return issue_token(person, label, wanted, expires_at, projects=projects)


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
    (found,) = authenticate_all((header or "",), now=now)
    if isinstance(found, InvalidToken):
        raise found
    return found


def authenticate_all(headers: Sequence[str], *, now: datetime) -> list[Token | InvalidToken | None]:
    """The same of many headers at once, in one query; what would be raised is in its place."""
    sought = [_secret_in(header) for header in headers]
    digests = {each: secrets.digest(each) for each in sought if isinstance(each, str)}
    rows = _BY_DIGEST.all(digests=list(digests.values())) if digests else []
    known = {token.sha256: token for token in rows}
    opened = {each: _opened(known.get(sha256), sha256, now) for each, sha256 in digests.items()}
    for token in opened.values():
        if isinstance(token, Token):
            _mark_used(token, now)
    return [opened[each] if isinstance(each, str) else each for each in sought]


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


def _secret_in(header: str) -> str | TokenMalformed | None:
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    secret = secret.strip()
    if secrets.is_well_formed(secret):
        return secret
    return TokenMalformed(
        "expected `assay_` and 38 letters and digits whose checksum is right; "
        "found something else (part of it may be missing)"
    )


def _opened(token: Token | None, sha256: str, now: datetime) -> Token | InvalidToken:
    """The row that was found by this digest, if it opens anything now."""
    # The index lookup already compared; this one takes the same time wherever they differ.
    if token is None or not hmac.compare_digest(token.sha256, sha256):
        return TokenUnknown("expected a token that this registry issued; this one is unknown here")
    if token.revoked_at is not None or not token.user.is_active:
        return TokenRevoked("expected a live token; this one was revoked")
    if not token.is_live(now):
        return TokenExpired(f"expected a live token; this one expired {token.expires_at:%Y-%m-%d}")
    return token


def _mark_used(token: Token, now: datetime) -> None:
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_EVERY:
        Token.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _limits(projects: Iterable[str], scopes: Sequence[str]) -> list[str]:
    """What is named need not be there yet, nor still: a token is asked when it is used."""
    wanted = sorted(set(projects))
    strange = [each for each in wanted if not FULL_NAME.fullmatch(each)]
    if strange or len(wanted) > MAX_PROJECTS:
        found = f"{strange[0][:80]!r}" if strange else str(len(wanted))
        raise InvalidTokenRequest(
            f"expected at most {MAX_PROJECTS} projects as OWNER/NAME, found {found}"
        )
    if wanted and list(scopes) != [Scope.OUTPUTS]:
        raise InvalidTokenRequest(
            f"expected the scope {Scope.OUTPUTS} alone for a token of some projects, "
            f"found {', '.join(scopes)}"
        )
    return wanted


def _known(scopes: Iterable[str]) -> list[str]:
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        expected = ", ".join(Scope.values)
        raise InvalidTokenRequest(f"expected scopes from: {expected}; found {wanted!r}")
    return wanted
