# SPDX-License-Identifier: Apache-2.0
"""What changes who is told: webhooks made, renewed, switched on and taken away.

add(Wanted(...), by)   the hook, and its secret, which nobody is shown again
renew(hook, by)        another secret; the old one signs nothing from now on
switch_on(hook, by)    after it was switched off: what still waits is sent
ping(hook, by)         a delivery about nothing, to try the address
remove(hook, by)       with all that it was told
forget(person)         who left watches nothing, and nobody is told of them
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from registry.accounts import queries as accounts
from registry.accounts import staying
from registry.accounts.queries import Namespace, User
from registry.audit import services as audit
from registry.catalog import queries as catalog
from registry.catalog.errors import MayNotGovern
from registry.catalog.errors import NotFound as NoProject
from registry.catalog.queries import Project, seeing

from . import addresses, gathering, queries, signatures
from .errors import InvalidWebhook, PingsWait, TooManyWebhooks
from .models import PING, Delivery, Event, Hook

MOST_HOOKS = 20  # in one name
MOST_PINGS = 10  # under way, of one hook: each is a request to an address of who-knows-whom


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A webhook that somebody asks for; without a project it is for all of the owner's."""

    owner: str
    project: str
    url: str
    events: Sequence[str]


def add(wanted: Wanted, *, by: User) -> tuple[Hook, str]:
    """The hook and its secret. Raises InvalidWebhook, MayNotGovern, TooManyWebhooks."""
    addresses.check_literal(wanted.url)
    if not wanted.events or not set(wanted.events) <= set(Event.values):
        raise InvalidWebhook(f"events: expected some of {', '.join(Event.values)}")
    owner = _owner(wanted.owner, by)
    project = _project(wanted.project, owner, by) if wanted.project else None
    with transaction.atomic():
        _hold(by)
        if queries.count_in(owner) >= MOST_HOOKS:
            raise TooManyWebhooks(f"expected at most {MOST_HOOKS} in {owner.name}, found as many")
        hook = Hook(owner=owner, project=project, url=wanted.url, made_by=by)
        hook.events = sorted(set(wanted.events))
        hook.fingerprint = signatures.fingerprint(hook)
        hook.save(force_insert=True)
        audit.record(by.actor, "webhook.create", hook.owner.name, _details(hook))
    return hook, signatures.secret(hook)


def renew(hook: Hook, *, by: User) -> str:
    """Another secret, shown once."""
    with transaction.atomic():
        _hold(by)
        Hook.objects.filter(pk=hook.pk).update(generation=F("generation") + 1)
        hook.refresh_from_db(fields=["generation"])
        hook.fingerprint = signatures.fingerprint(hook)
        hook.save(update_fields=["fingerprint"])
        audit.record(by.actor, "webhook.renew", hook.owner.name, _details(hook))
    return signatures.secret(hook)


def switch_on(hook: Hook, *, by: User, now: datetime) -> None:
    """It is told again, and what waited goes first; each of that has one attempt more at least.

    Who switches it on answers for it from then on.
    """
    with transaction.atomic():
        _hold(by)
        off = Hook.objects.filter(pk=hook.pk).exclude(disabled_at=None)
        if off.update(disabled_at=None, reason="", made_by=by):
            Delivery.objects.filter(hook=hook, state="waiting").update(due_at=now)
            audit.record(by.actor, "webhook.enable", hook.owner.name, _details(hook))


def ping(hook: Hook, *, by: User) -> Delivery:
    """Something to receive: `{"type":"ping"}` with the hook's own id. Raises PingsWait."""
    now = timezone.now()
    with transaction.atomic():
        _hold(by)
        waiting = Delivery.objects.filter(hook=hook, kind=PING, state="waiting").count()
        if waiting >= MOST_PINGS:
            raise PingsWait(f"expected at most {MOST_PINGS} pings under way, found {waiting}")
        return Delivery.objects.create(
            hook=hook,
            kind=PING,
            body=gathering.body_of(PING, now, {"webhook": str(hook.pk)}),
            happened_at=now,
            due_at=now,
        )


def remove(hook: Hook, *, by: User) -> None:
    """Nothing more is sent, and what was sent is forgotten."""
    with transaction.atomic():
        _hold(by)
        if Hook.objects.filter(pk=hook.pk).delete()[0]:
            audit.record(by.actor, "webhook.remove", hook.owner.name, _details(hook))


def forget(person: User) -> None:
    """Before their name goes: their hooks, and what anybody was or is to be told of them."""
    owner, name = person.namespace, person.username
    Hook.objects.filter(Q(owner=owner) | Q(project__owner=owner)).delete()
    said = Q(body__contains=f'"{name}/') | Q(body__contains=f"{settings.PUBLIC_URL}/{name}/")
    Delivery.objects.filter(Q(project__owner=owner) | said).delete()


def _owner(name: str, by: User) -> Namespace:
    found = accounts.namespaces_governed_by(by).filter(name=name).first()
    if found is None:
        raise MayNotGovern(f"expected your own name, or one that you own, found {name[:80]!a}")
    return found


def _project(full_name: str, owner: Namespace, by: User) -> Project:
    """One that its maker sees, and the owner may be told of."""
    first, _, last = full_name.partition("/")
    try:
        found = catalog.project(first, last, by)
    except NoProject as error:
        raise InvalidWebhook(f"project: {error.detail}") from error
    if not seeing.is_told(found, owner):
        raise InvalidWebhook(f"project: expected one that {owner.name} may see, found another's")
    return found


def _hold(by: User) -> None:
    if not staying.stays(by):
        raise MayNotGovern("expected somebody who is here, found one who left meanwhile")


def _details(hook: Hook) -> dict[str, str]:
    project = hook.project.full_name if hook.project else ""
    return {"webhook": str(hook.pk), "project": project}
