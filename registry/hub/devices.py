# SPDX-License-Identifier: Apache-2.0
"""Logging a program in by a browser (RFC 8628): `hf auth login`, which has no secret of its own.

begin    the program's secret, and the short code that its user types or follows
decide   that user, signed in, allows it or does not
collect  the program asks until there is a token; it is issued then, once, and shown to it alone
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from django.db import transaction

from registry.accounts import services as accounts
from registry.accounts import staying
from registry.accounts.queries import Scope, User
from registry.api.problems import NotFound
from registry.audit import services as audit

from .models import DeviceLogin

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, no words (RFC 8628, section 6.1)
LETTERS_IN_CODE, GROUP = 8, 4
GOOD_FOR = timedelta(minutes=15)
INTERVAL = timedelta(seconds=5)
SCOPES = (Scope.READ, Scope.PUBLISH)
TOKEN_GOOD_FOR = timedelta(days=30)
LABEL = "hf auth login"


class Pending(StrEnum):
    """Why there is no token, in the words of RFC 8628, section 3.5."""

    WAITING = "authorization_pending"
    TOO_OFTEN = "slow_down"
    EXPIRED = "expired_token"
    DENIED = "access_denied"
    UNKNOWN = "invalid_grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What the program is told."""

    device_code: str
    user_code: str


def begin(*, now: datetime) -> Begun:
    """A new request; those that are over are forgotten with it."""
    DeviceLogin.objects.filter(expires_at__lt=now - GOOD_FOR).delete()
    letters = "".join(secrets.choice(LETTERS) for _ in range(LETTERS_IN_CODE))
    begun = Begun(
        device_code=secrets.token_urlsafe(32), user_code=f"{letters[:GROUP]}-{letters[GROUP:]}"
    )
    DeviceLogin.objects.create(
        device_sha256=_digest(begun.device_code),
        user_code=begun.user_code,
        expires_at=now + GOOD_FOR,
    )
    return begun


def waiting(typed: str, *, now: datetime) -> DeviceLogin | None:
    """The request that nobody has decided about, by its code as a person types it."""
    letters = re.sub(r"[^A-Z]", "", typed[:40].upper())
    code = f"{letters[:GROUP]}-{letters[GROUP:]}"
    undecided = DeviceLogin.objects.filter(person=None, is_denied=False, expires_at__gt=now)
    return undecided.filter(user_code=code).first()


def decide(typed: str, by: User, *, is_allowed: bool, now: datetime) -> None:
    """Once: another who has the code comes too late. Raises NotFound."""
    with transaction.atomic():
        if not staying.stays(by):
            raise NotFound("expected somebody who is here")
        found = waiting(typed, now=now)
        if found is None or not _decided(found, by if is_allowed else None):
            raise NotFound("expected the code of a program that waits, found none; it may be over")
        action = "device.allow" if is_allowed else "device.deny"
        audit.record(by.actor, action, by.username, {"scopes": [*SCOPES]})


def collect(device_code: str, *, now: datetime) -> str | Pending:
    """The token's secret, or why there is none."""
    with transaction.atomic():
        rows = DeviceLogin.objects.select_for_update(of=("self",)).select_related("person")
        found = rows.filter(device_sha256=_digest(device_code)).first()
        if found is None:
            return Pending.UNKNOWN
        if (pending := _pending(found, now)) is not None:
            DeviceLogin.objects.filter(pk=found.pk).update(polled_at=now)
            return pending
        person = found.person
        found.delete()  # it is good for one token
        if person is None or not staying.stays(person):
            return Pending.DENIED
        _, secret = accounts.issue_token(person, LABEL, SCOPES, now + TOKEN_GOOD_FOR)
        return secret


def forget(person: User) -> None:
    """What a person who leaves has allowed and nobody has collected."""
    DeviceLogin.objects.filter(person=person).delete()


def _decided(found: DeviceLogin, by: User | None) -> bool:
    """Whether this was the first to decide; nobody allows it who refuses."""
    undecided = DeviceLogin.objects.filter(pk=found.pk, person=None, is_denied=False)
    return bool(undecided.update(person=by, is_denied=by is None))


def _pending(found: DeviceLogin, now: datetime) -> Pending | None:
    if found.is_denied:
        return Pending.DENIED
    if found.expires_at <= now:
        return Pending.EXPIRED
    if found.person is not None:
        return None
    is_too_often = found.polled_at is not None and now - found.polled_at < INTERVAL / 2
    return Pending.TOO_OFTEN if is_too_often else Pending.WAITING


def _digest(device_code: str) -> str:
    return sha256(device_code.encode()).hexdigest()
