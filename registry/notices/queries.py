# SPDX-License-Identifier: Apache-2.0
"""Who watches what, and what was sent to them. Changes nothing."""

from __future__ import annotations

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, User
from registry.catalog.queries import Project, seeing

from .models import OF_OWNERS, Delivery, Event, Hook, State

__all__ = ["Delivery", "Event", "Hook", "State"]


def hooks_of(person: User) -> QuerySet[Hook]:
    """Those that this person decides on: their own, and those of what they are an owner of.

    `is_seen` says whether they may see the project at this moment; else nothing names it.
    """
    owned = Hook.objects.filter(owner__in=accounts.namespaces_governed_by(person))
    named = Q(project=None) | Q(project__in=_seen_by(person))
    owned = owned.annotate(is_seen=ExpressionWrapper(named, output_field=BooleanField()))
    return owned.select_related("owner", "project__owner", "made_by").order_by("-created_at")


def those_off(person: User) -> QuerySet[Hook]:
    """Those of them that were switched off because nothing arrived."""
    return hooks_of(person).exclude(disabled_at=None)


def deliveries_of(hook: Hook, person: User) -> QuerySet[Delivery]:
    """What it was told, the newest first; of what this person may not see, not even that."""
    about = Q(project=None) | Q(project__in=_seen_by(person))
    rows = Delivery.objects.filter(about, hook=hook).exclude(state=State.WITHHELD)
    return rows.select_related("project__owner").order_by("-happened_at", "-id")


def watching(project: Project, kind: str) -> QuerySet[Hook]:
    """The hooks that are to be told such a thing of this project; those that are off are told none.

    Whether they may still see it is asked when it is sent.
    """
    whose = Q(project=project) | Q(project=None, owner=project.owner_id)
    found = Hook.objects.filter(whose, events__contains=[kind], disabled_at=None)
    return found.filter(owner=project.owner_id) if kind in OF_OWNERS else found


def may_hear(delivery: Delivery) -> bool:
    """That the hook's owner may see the project at this moment; a ping is about none."""
    project, owner = delivery.project, delivery.hook.owner
    if project is None:
        return True
    is_owners = delivery.kind not in OF_OWNERS or project.owner_id == owner.pk
    return is_owners and seeing.is_told(project, owner)


def has_maker(hook: Hook) -> bool:
    """That whoever answers for it still decides for its owner: else it is somebody else's ear."""
    return accounts.may_govern(hook.made_by, hook.owner)


def _seen_by(person: User) -> QuerySet[Project, int]:
    return Project.objects.filter(seeing.told(person.namespace)).values_list("pk", flat=True)


def count_in(owner: Namespace) -> int:
    """How many there are in a name."""
    return Hook.objects.filter(owner=owner).count()
