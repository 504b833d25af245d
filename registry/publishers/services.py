# SPDX-License-Identifier: Apache-2.0
"""Naming publishers, and giving their jobs a token for minutes.

The token has one scope and one project. It acts in the publisher's own name, never in a person's:
who named the publisher lends it the right to publish there, for as long as they have it themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from registry.accounts import queries as accounts
from registry.accounts import services as accounts_services
from registry.accounts import suspensions
from registry.accounts.queries import Scope, User
from registry.accounts.services import Binding
from registry.api.problems import Problem
from registry.audit import services as audit
from registry.catalog import queries as catalog
from registry.catalog.errors import MayNotPublish
from registry.catalog.queries import Project
from registry.oidc import services as oidc
from registry.oidc import tokens
from registry.oidc.providers import Use, providers
from registry.oidc.tokens import Claims

from . import queries
from .errors import InvalidPublisher, NotAPublisher
from .models import MAX_SUBJECT, Publisher

LIFETIME = timedelta(minutes=15)  # to upload and publish one checkpoint
MAX_CLAIMS = 16
MAX_CLAIM_CHARACTERS = 400
MAX_PUBLISHERS = 32
# Before a star stand whole names, an owner's and what it owns: `repo:*` and `https://*` are
# everybody, `lab/model*` could mean `lab/model-of-others`, and a branch (`ref:`) is in anybody's.
_NAME = r"[^*\s:/#]+"
_PATTERN = re.compile(
    rf"(?!ref:)(?:[a-z]+://{_NAME}(?::\d+)?/|{_NAME}:)?"
    rf"{_NAME}/{_NAME}(?:[:/@#][^*\s]*)?(?<=[:/@#])\*"
    rf"|organization:{_NAME}:pipeline:{_NAME}:(?:[^*\s]*[:/])?\*"  # as Buildkite writes it
    r"|[^*\s]{4,}"
)
_CLAIM_NAME = re.compile(r"[A-Za-z0-9_:./-]{1,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Whom to believe: all of it must be in a token."""

    issuer: str
    subject: str
    claims: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """What a job got: the secret, the project that it publishes to, and until when."""

    secret: str
    project: str
    expires_at: datetime


def name(project: Project, wanted: Description, *, by: User) -> Publisher:
    """Let the jobs that this describes publish to the project; raises InvalidPublisher."""
    _check_rights(project, by)
    _check(wanted)
    with transaction.atomic():
        if queries.publishers_of(project).count() >= MAX_PUBLISHERS:
            raise InvalidPublisher(f"expected at most {MAX_PUBLISHERS} publishers, found more")
        publisher = Publisher.objects.create(
            project=project,
            issuer=wanted.issuer,
            subject=wanted.subject,
            claims=dict(wanted.claims),
            named_by=by,
        )
        details = {"publisher": publisher.actor, "issuer": wanted.issuer, "subject": wanted.subject}
        audit.record(by.actor, "publisher.name", project.full_name, details)
    return publisher


def remove(publisher: Publisher, *, by: User, now: datetime) -> None:
    """Take it back; the tokens that its jobs hold open nothing from now on."""
    _check_rights(publisher.project, by)
    with transaction.atomic():
        live = Publisher.objects.filter(pk=publisher.pk, removed_at=None)
        if live.update(removed_at=now):
            accounts_services.revoke_tokens_of(publisher.actor, by=by.actor)
            details = {"publisher": publisher.actor}
            audit.record(by.actor, "publisher.remove", publisher.project.full_name, details)


def exchange(project: Project, identity_token: str, *, now: datetime) -> tuple[str, datetime]:
    """A secret that publishes to the project, and until when; raises a Problem.

    1. The token is whole, of an issuer that is believed for publishing, and for this registry.
    2. The project named who it is about,
    3. and one who named them may still publish there.
    4. The token was not exchanged before.
    """
    _, claims = tokens.verify(
        identity_token, Use.PUBLISHING, audience=settings.PUBLIC_URL, now=now
    )  # 1
    publisher = _named(project, claims)  # 2, 3
    expires_at = now + LIFETIME
    with transaction.atomic():
        oidc.spend(claims)  # 4
        _, secret = accounts_services.issue_token(
            publisher.named_by,
            f"publisher {publisher.pk}",
            [Scope.PUBLISH],
            expires_at,
            binding=Binding(project=project.full_name, holder=publisher.actor),
        )
        details = {"issuer": claims.issuer, "subject": claims.subject[:MAX_SUBJECT]}
        audit.record(publisher.actor, "publisher.exchange", project.full_name, details)
    return secret, expires_at


def exchange_for(owner: str, name: str, identity_token: str, *, now: datetime) -> Exchanged:
    """The same for a project by its name; whether it is there is not said to who may not see it."""
    project = catalog.project(owner, name, bound_to=f"{owner}/{name}")
    try:
        secret, expires_at = exchange(project, identity_token, now=now)
    except Problem:
        catalog.project(owner, name)  # NotFound, where it is none that everybody sees
        raise
    return Exchanged(secret=secret, project=project.full_name, expires_at=expires_at)


def fits(publisher: Publisher, claims: Claims) -> bool:
    """Whether a token is about a job that this names."""
    if publisher.issuer != claims.issuer or not _PATTERN.fullmatch(publisher.subject):
        return False  # what could be named once, and says too little, is nobody now
    beginning = publisher.subject.removesuffix("*")
    is_about = (
        claims.subject.startswith(beginning)
        if beginning != publisher.subject
        else claims.subject == publisher.subject
    )
    return is_about and all(claims.members.get(k) == v for k, v in publisher.claims.items())


def _named(project: Project, claims: Claims) -> Publisher:
    live = queries.publishers_of(project).filter(issuer=claims.issuer)
    found = [one for one in live if fits(one, claims)]  # 2
    if not found:
        raise NotAPublisher(
            f"expected a job that {project.full_name} named, "
            f"found {claims.subject[:200]!a} of {claims.issuer}"
        )
    lent = [one for one in found if _is_lent(one, project)]  # 3
    if not lent:
        raise MayNotPublish(
            f"expected a publisher named by one who acts for {project.owner.name!r}"
        )
    return lent[0]


def _is_lent(one: Publisher, project: Project) -> bool:
    """Whoever named it acts for the owner still, and is not suspended."""
    is_good = not suspensions.is_suspended(one.named_by.namespace)
    return is_good and accounts.may_publish(one.named_by, project.owner)


def _check_rights(project: Project, person: User) -> None:
    if not accounts.may_publish(person, project.owner):
        raise MayNotPublish(f"expected somebody who acts for {project.owner.name!r}")


def _check(wanted: Description) -> None:
    if wanted.issuer not in {one.issuer for one in providers().for_use(Use.PUBLISHING)}:
        raise InvalidPublisher(
            f"issuer: expected one that this registry believes, found {wanted.issuer[:200]!a}"
        )
    if len(wanted.subject) > MAX_SUBJECT or not _PATTERN.fullmatch(wanted.subject):
        raise InvalidPublisher(
            "subject: expected a subject, or its beginning with `owner/name` in it, up to `:`, "
            f"`/`, `@` or `#`, and a `*`, found {wanted.subject[:200]!a}"
        )
    if len(wanted.claims) > MAX_CLAIMS:
        raise InvalidPublisher(f"claims: expected at most {MAX_CLAIMS}, found more")
    for claim, value in wanted.claims.items():
        if not _CLAIM_NAME.fullmatch(claim) or not 0 < len(value) <= MAX_CLAIM_CHARACTERS:
            raise InvalidPublisher(f"claims: expected names and short texts, found {claim[:80]!a}")


def forget(user: User) -> frozenset[str]:
    """Who may publish to a person's own projects is kept no longer; in whose names they acted.

    What those hold is nobody's from here on: in the caller's transaction, which forgets it.
    """
    rows = Publisher.objects.filter(project__owner=user.namespace)
    actors = frozenset(each.actor for each in rows)
    rows.delete()
    return actors
