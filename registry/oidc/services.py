# SPDX-License-Identifier: Apache-2.0
"""Linking people to who they are at a provider, and spending tokens once."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import IntegrityError, transaction

from registry.accounts import services as accounts
from registry.accounts.queries import User
from registry.api.problems import NotFound
from registry.audit import services as audit

from .errors import IdentityTaken, LastSignIn, TokenUsed
from .models import Identity, UsedToken
from .providers import Use, providers
from .signing_in import Known
from .tokens import SKEW, Claims


def person(known: Known) -> User | None:
    """The person that somebody at a provider is here."""
    found = Identity.objects.select_related("user__namespace").filter(
        issuer=known.issuer, subject=known.subject
    )
    identity = found.first()
    return None if identity is None else identity.user


def link(user: User, known: Known) -> None:
    """From now on the person signs in so too; again changes nothing; raises IdentityTaken."""
    if person(known) == user:
        return
    try:
        with transaction.atomic():
            Identity.objects.create(user=user, issuer=known.issuer, subject=known.subject)
            audit.record(user.actor, "identity.link", user.username, {"issuer": known.issuer})
    except IntegrityError as error:
        raise IdentityTaken("expected somebody who is nobody here yet, found another's") from error


def unlink(user: User, identity_id: int) -> None:
    """Sign in so no more; raises NotFound, or LastSignIn where no other way in would be left."""
    with transaction.atomic():
        # All of theirs at once: of two that are removed together, one must see the other go.
        linked = Identity.objects.select_for_update().filter(user=user)
        identity = next((one for one in linked if one.pk == identity_id), None)
        if identity is None:
            raise NotFound("expected a sign-in of yours, found none")
        believed = {one.issuer for one in providers().for_use(Use.SIGN_IN)}
        left = [one for one in linked if one != identity and one.issuer in believed]
        if not left and not user.has_usable_password():
            raise LastSignIn("expected another way to sign in, found neither one nor a password")
        identity.delete()
        audit.record(user.actor, "identity.unlink", user.username, {"issuer": identity.issuer})


def create_person(name: str, known: Known) -> User:
    """A new person who signs in by a provider alone; both in one transaction, or neither."""
    with transaction.atomic():
        user = accounts.create_user(name)
        link(user, known)
    return user


def spend(claims: Claims) -> None:
    """Use a token for the one time that it is good for; raises TokenUsed.

    Remembered for as long as it would be accepted, our forgiveness about clocks included.
    """
    name = hashlib.sha256(f"{claims.issuer}\n{claims.text('jti')}".encode()).hexdigest()
    try:
        with transaction.atomic():
            UsedToken.objects.create(sha256=name, expires_at=claims.expires_at + 2 * SKEW)
    except IntegrityError as error:
        raise TokenUsed(
            "expected a token that was not exchanged before, found one again"
        ) from error


def sweep(*, now: datetime) -> None:
    """Forget tokens that nobody would accept any more."""
    UsedToken.objects.filter(expires_at__lt=now).delete()


def forget(user: User) -> None:
    """Who a person of ours is at providers is kept no longer: they have left."""
    Identity.objects.filter(user=user).delete()
