# SPDX-License-Identifier: Apache-2.0
"""Who is who, and who may act for which name. Changes nothing.

The models are private to this app; their names are here for other apps' annotations.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TypeAlias

from django.db.models import QuerySet
from rest_framework.request import Request

from registry.prepared import Given, Prepared
from registry.storage import quotas as storage
from registry.storage.quotas import Use

from .errors import NotAllowed, PersonUnknown
from .models import (
    Membership,
    Namespace,
    Node,
    Organisation,
    Role,
    Scope,
    SignInFailure,
    Token,
    User,
)

__all__ = ["Membership", "Namespace", "Node", "Organisation", "Role", "Scope", "Token", "User"]

Key: TypeAlias = int | Given
"""A row's, or its place in a question that is composed before there is one."""

SYSTEM = "system"
NUL = "\0"  # nobody is called so: forms may name anything, and PostgreSQL has no place for it
PUBLISHING = (Role.OWNER, Role.MEMBER)
LOCK_OUT_AFTER = 5
LOCK_OUT_FOR = timedelta(minutes=15)
# What a person may do in the browser without a token; nodes and generation are for programs.
SESSION_SCOPES = frozenset({Scope.READ, Scope.PUBLISH, Scope.OUTPUTS})


def namespace(name: str) -> Namespace | None:
    """The namespace of this name."""
    return None if NUL in name else Namespace.objects.filter(name=name).first()


def user(name: str) -> User | None:
    """The person with this name."""
    if NUL in name:
        return None
    return User.objects.select_related("namespace").filter(username=name).first()


def organisation(name: str) -> Organisation | None:
    """The organisation with this name."""
    return Organisation.objects.select_related("namespace").filter(namespace__name=name).first()


def namespaces_of(user: User) -> QuerySet[Namespace]:
    """The names this person may publish under: their own and their organisations'."""
    return _names(user.pk, user.namespace_id, PUBLISHING).order_by("name")


def namespaces_seen_by(user: User) -> QuerySet[Namespace]:
    """The names whose private things this person may see; readers of an organisation do, too."""
    return _names(user.pk, user.namespace_id, Role.values)


def namespaces_governed_by(user: User) -> QuerySet[Namespace]:
    """The names that this person decides for."""
    return _names(user.pk, user.namespace_id, (Role.OWNER,)).order_by("name")


def organisation_names() -> QuerySet[Namespace]:
    """The names that organisations have; these are public, as organisations are."""
    return Namespace.objects.filter(pk__in=Organisation.objects.values("namespace"))


def person_of(namespace: Namespace) -> User | None:
    """The person whose name it is; None for an organisation's, or nobody's any more."""
    return User.objects.filter(namespace=namespace, is_active=True).first()


def may_publish(user: User, namespace: Namespace) -> bool:
    """That this person acts for the name: it is theirs, or that of an organisation they are in."""
    return user.is_active and _is_among(_PUBLISHES, user, namespace)


def may_govern(user: User, namespace: Namespace) -> bool:
    """That this person decides for the name: it is theirs, or that of what they are an owner of."""
    return user.is_active and _is_among(_GOVERNS, user, namespace)


def has_actor(namespace: Namespace) -> bool:
    """That somebody acts for the name: an active person whose it is, or who is in what it names."""
    named = Membership.objects.filter(organisation__namespace=namespace, role__in=PUBLISHING)
    # One list of ids: two, with an "or" between them, are looked for in every row there is.
    people = User.objects.filter(namespace=namespace).values("pk").union(named.values("user"))
    return User.objects.filter(pk__in=people, is_active=True).exists()


def holder(namespace: Namespace) -> str:
    """How storage names whoever owns this name: the person, or the organisation."""
    person = User.objects.filter(namespace=namespace).first()
    return f"organisation:{namespace.name}" if person is None else person.actor


def use(namespace: Namespace) -> Use:
    """What is stored in this name, and may be."""
    return storage.use_of(holder(namespace))


def uses(user: User) -> dict[str, Use]:
    """What this person and their organisations have stored, by name, and may."""
    return {each.name: use(each) for each in namespaces_of(user)}


def role_in(organisation: Organisation, user: User) -> Role | None:
    """What this person is in the organisation."""
    membership = Membership.objects.filter(organisation=organisation, user=user).first()
    return Role(membership.role) if membership else None


def members_of(organisation: Organisation) -> QuerySet[Membership]:
    """Those who are in it, by name."""
    rows = Membership.objects.filter(organisation=organisation)
    return rows.select_related("user").order_by("user__username")


def memberships_of(user: User) -> QuerySet[Membership]:
    """What this person is in, by name."""
    rows = Membership.objects.filter(user=user).select_related("organisation__namespace")
    return rows.order_by("organisation__namespace__name")


def person_named(name: str) -> User:
    """The person with this name, who is here; raises PersonUnknown."""
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise PersonUnknown(f"expected the name of a person, found {name[:80]!r}")
    return found


def member_named(organisation: Organisation, name: str) -> User:
    """The person with this name, who is in it; raises PersonUnknown."""
    found = members_of(organisation).filter(user__username=name).first()
    if found is None:
        raise PersonUnknown(f"expected somebody of {organisation}, found {name[:80]!r}")
    return found.user


def node(node_id: uuid.UUID | str, *, owner: User) -> Node | None:
    """The person's machine with this id; somebody else's is as good as none."""
    try:
        key = uuid.UUID(str(node_id))
    except ValueError:
        return None
    return Node.objects.select_related("owner").filter(pk=key, owner=owner).first()


def any_node(node_id: uuid.UUID | str) -> Node | None:
    """A machine by its id, whosever it is: for operators, and what is said about it."""
    try:
        key = uuid.UUID(str(node_id))
    except ValueError:
        return None
    return Node.objects.select_related("owner__namespace").filter(pk=key).first()


def nodes_of(owner: Namespace) -> QuerySet[Node]:
    """The machines of whoever has this name."""
    return Node.objects.filter(owner__namespace=owner).order_by("pk")


def token(token_id: int) -> Token | None:
    """Any token by its number: for operators."""
    return Token.objects.select_related("user__namespace").filter(pk=token_id).first()


def tokens_of(user: User) -> QuerySet[Token]:
    """The person's tokens, spent ones too."""
    return Token.objects.filter(user=user)


def live_tokens_of(user: User, *, now: datetime) -> QuerySet[Token]:
    """Those that open something, the newest first."""
    return tokens_of(user).filter(revoked_at=None, expires_at__gt=now).order_by("-pk")


def caller(request: Request) -> User:
    """The person behind an authenticated request (permissions have let it through)."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view whose permissions demand authentication")
    return request.user


def actor(request: Request) -> str:
    """In whose name an authenticated request acts: a person's, or that of a project's token."""
    if isinstance(request.auth, Token):
        return request.auth.actor
    return caller(request).actor


def holder_of(request: Request) -> str:
    """Whom a project's token acts for, who is no person; empty for a person's, and in a session."""
    return request.auth.holder if isinstance(request.auth, Token) else ""


def bound_to(request: Request) -> str:
    """The one project (`owner/name`) that the token is for; empty where it is for no one alone."""
    return request.auth.project if isinstance(request.auth, Token) else ""


def limits(request: Request) -> tuple[str, ...]:
    """The projects of whose checkpoints alone the token signs; none where it signs of all."""
    return tuple(request.auth.projects) if isinstance(request.auth, Token) else ()


def person(request: Request) -> User:
    """The caller, where only a person may be one; raises NotAllowed for a project's token."""
    if isinstance(request.auth, Token):
        return person_behind(request.auth)
    return caller(request)


def person_behind(token: Token) -> User:
    """Whose token it is. What publishes to one project is nobody's word, and decides nothing.

    Raises NotAllowed.
    """
    if token.project:
        raise NotAllowed("expected a person's token, found one that publishes to one project")
    return token.user


def is_locked_out(name: str, *, now: datetime) -> bool:
    """That this name has had too many wrong passwords lately."""
    failures = SignInFailure.objects.filter(name=name, at__gt=now - LOCK_OUT_FOR)
    return failures.count() >= LOCK_OUT_AFTER


def _names(user: Key, own: Key, roles: Collection[str]) -> QuerySet[Namespace]:
    """The person's own, and those of the organisations that they have one of these roles in."""
    memberships = Membership.objects.filter(user=user, role__in=roles)
    organisations = Organisation.objects.filter(pk__in=memberships.values("organisation"))
    theirs = Namespace.objects.filter(pk=own).values("pk")
    return Namespace.objects.filter(pk__in=theirs.union(organisations.values("namespace")))


_PUBLISHES = Prepared(lambda user, own, name: _names(user, own, PUBLISHING).filter(pk=name))
_GOVERNS = Prepared(lambda user, own, name: _names(user, own, (Role.OWNER,)).filter(pk=name))


def _is_among(names: Prepared[Namespace], user: User, name: Namespace) -> bool:
    return names.first(user=user.pk, own=user.namespace_id, name=name.pk) is not None
