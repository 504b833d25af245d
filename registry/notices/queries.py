# SPDX-License-Identifier: Apache-2.0
"""Who watches what, and what was sent to them. Changes nothing."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, User
from registry.catalog import seeing
from registry.catalog.queries import Project

from .models import Delivery, Event, Hook, State

__all__ = ["Delivery", "Event", "Hook", "State"]


def hooks_of(person: User) -> QuerySet[Hook]:
    """Those that this person decides on: their own, and those of what they are an owner of."""
    owned = Hook.objects.filter(owner__in=accounts.namespaces_governed_by(person))
    return owned.select_related("owner", "project__owner", "made_by").order_by("-created_at")


def those_off(person: User) -> QuerySet[Hook]:
    """Those of them that were switched off because nothing arrived."""
    return hooks_of(person).exclude(disabled_at=None)


def deliveries_of(hook: Hook) -> QuerySet[Delivery]:
    """What it was told, the newest first."""
    return Delivery.objects.filter(hook=hook).order_by("-happened_at", "-id")


def watching(project: Project, kind: str) -> QuerySet[Hook]:
    """The hooks that are to be told such a thing of this project; those that are off are told none.

    Whether they may still see it is asked when it is sent.
    """
    whose = Q(project=project) | Q(project=None, owner=project.owner_id)
    return Hook.objects.filter(whose, events__contains=[kind], disabled_at=None)


def may_hear(hook: Hook, project: Project | None) -> bool:
    """That the hook's owner may see the project at this moment; a ping is about none."""
    return project is None or seeing.is_told(project, hook.owner)


def count_in(owner: Namespace) -> int:
    """How many there are in a name."""
    return Hook.objects.filter(owner=owner).count()
