# SPDX-License-Identifier: Apache-2.0
"""People, organisations and the names they are given: what changes, with an audit row each.

Tokens are in tokens.py, machines in nodes.py; both are offered here too, for callers of other apps.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from registry.audit import services as audit
from registry.storage import quotas as storage

from . import pseudonyms, queries, staying
from .errors import (
    LastOwner,
    NameTaken,
    NotAllowed,
    PersonUnknown,
    TooManyOrganisations,
    WeakPassword,
)
from .models import Membership, Namespace, Organisation, Role, SignInFailure, User
from .names import check_name
from .nodes import CertificateRequest, join_node, record_chain, record_sighting
from .tokens import (
    Binding,
    authenticate,
    issue_own_token,
    issue_token,
    revoke_token,
    revoke_tokens_of,
)

MOST_FOUNDED = 20  # by one person, ever: names are given for ever, and nobody needs to hoard them

__all__ = [
    "Binding",
    "CertificateRequest",
    "add_member",
    "allow_storage",
    "authenticate",
    "create_organisation",
    "create_user",
    "issue_own_token",
    "issue_token",
    "join_node",
    "record_chain",
    "record_sighting",
    "remove_member",
    "revoke_token",
    "revoke_tokens_of",
    "set_findable",
    "sweep",
]


def create_user(name: str, password: str | None = None, *, is_staff: bool = False) -> User:
    """A person and their name; without a password they sign in by a link or work by token only."""
    check_name(name)
    person = User(username=name, is_staff=is_staff)
    if password is None:
        person.set_unusable_password()
    else:
        _check_password(password, person)
        person.set_password(password)
    with transaction.atomic():
        person.namespace = _give(name)
        person.save()
        pseudonyms.give(person.namespace)
        audit.record(queries.SYSTEM, "user.create", name, {"is_staff": is_staff})
    return person


def set_findable(person: User, *, is_findable: bool) -> None:
    """A person's own consent that the ledger's search finds them, given or taken back."""
    with transaction.atomic():
        others = User.objects.filter(pk=person.pk, is_findable=not is_findable)
        if others.update(is_findable=is_findable):
            details = {"is_findable": is_findable}
            audit.record(person.actor, "user.findable", person.username, details)
    person.is_findable = is_findable


def create_organisation(name: str, by: User) -> Organisation:
    """An organisation, of which its founder is the first owner.

    Raises InvalidName, NameTaken, TooManyOrganisations, or PersonUnknown if the founder left.
    """
    check_name(name)
    with transaction.atomic():
        staying.hold_alone(by)  # or two at once would each be the last that they may found
        if not staying.stays(by):
            raise PersonUnknown("expected somebody who is here, found one who left")
        # Not what they own: who makes somebody else its owner, and leaves, has founded it still.
        if Organisation.objects.filter(founder=by).count() >= MOST_FOUNDED:
            raise TooManyOrganisations(
                f"expected fewer than {MOST_FOUNDED} organisations that {by.username} founded, "
                "found as many"
            )
        organisation = Organisation.objects.create(namespace=_give(name), founder=by)
        Membership.objects.create(organisation=organisation, user=by, role=Role.OWNER)
        audit.record(by.actor, "organisation.create", name, {})
    return organisation


def add_member(organisation: Organisation, user: User, role: Role, *, by: User) -> Membership:
    """Admits a person who is here, or changes their role; only an owner may."""
    with transaction.atomic():
        if not staying.stays(user):
            raise PersonUnknown("expected somebody who is here, found one who left, or may not act")
        _lock(organisation, by)
        if role is not Role.OWNER:
            _keep_an_owner(organisation, without=user)
        membership, _ = Membership.objects.update_or_create(
            organisation=organisation, user=user, defaults={"role": role}
        )
        details = {"user": user.username, "role": role.value}
        audit.record(by.actor, "organisation.member", organisation.namespace.name, details)
    return membership


def remove_member(organisation: Organisation, user: User, *, by: User) -> None:
    """Ends a membership; an owner may end any but the last owner's, and anybody their own."""
    with transaction.atomic():
        _lock(organisation, None if user == by else by)
        _keep_an_owner(organisation, without=user)
        ended, _ = Membership.objects.filter(organisation=organisation, user=user).delete()
        if ended:
            details = {"user": user.username}
            audit.record(by.actor, "organisation.leave", organisation.namespace.name, details)


def allow_storage(namespace: Namespace, allowed_bytes: int | None) -> None:
    """How much may be stored in this name from now on; None is as much as in any other."""
    with transaction.atomic():
        storage.allow(queries.holder(namespace), allowed_bytes)
        details = {"allowed_bytes": allowed_bytes}
        audit.record(queries.SYSTEM, "storage.quota", namespace.name, details)


def sweep(*, now: datetime) -> None:
    """Forgets what counts no longer: wrong passwords, and sessions that are over."""
    SignInFailure.objects.filter(at__lt=now - queries.LOCK_OUT_FOR).delete()
    Session.objects.filter(expire_date__lt=now).delete()


def _give(name: str) -> Namespace:
    try:
        with transaction.atomic():
            return Namespace.objects.create(name=name)
    except IntegrityError as error:
        raise NameTaken(f"expected a name that was never given, but {name!r} was") from error


def _check_password(password: str, person: User) -> None:
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error


def _lock(organisation: Organisation, owner: User | None) -> None:
    """One change of members at a time, or two owners could remove each other."""
    staying.hold_organisations([organisation.pk])
    if owner is not None and queries.role_in(organisation, owner) is not Role.OWNER:
        raise NotAllowed("expected an owner of the organisation")


def _keep_an_owner(organisation: Organisation, *, without: User) -> None:
    """Somebody who is here: who was shut out, or left, decides nothing."""
    owners = Membership.objects.filter(organisation=organisation, role=Role.OWNER)
    others = owners.exclude(user=without).filter(user__is_active=True)
    if owners.filter(user=without).exists() and not others.exists():
        raise LastOwner(f"{without.username} is the only owner; name another one first")
