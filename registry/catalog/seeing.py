# SPDX-License-Identifier: Apache-2.0
"""Who may see which project, and have its files: the one rule behind every list, page and digest.

A public project is everybody's to see. A private one, all that is in it, and that there is one, is
for those who are in what owns it. The rule is a condition of queries: what may not be seen is not
found, in as many queries, counted nowhere, and crowds nothing out of a list.

The files of a gated project are for those in what owns it, and for whom its owner let in. That it
is there, what it is, and what was signed about it stays everybody's to see. The line of a pull
request is no project of its author's to see: it is found through the project that it is proposed
to (pulls.py).
"""

from __future__ import annotations

from django.db.models import Q

from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, User

from .accesses import Access, AccessState
from .models import Gate, Project, Visibility


def projects(viewer: User | None, *, of: str = "") -> Q:
    """Those that this caller may see; what has ended is nobody's.

    `of` is the way to the project in the query, such as `checkpoint__project`.
    """
    start = f"{of}__" if of else ""
    seen = Q((f"{start}visibility", Visibility.PUBLIC))
    if viewer is not None:
        own = Q((f"{start}owner__in", accounts.namespaces_seen_by(viewer)))
        seen |= own & Q((f"{start}visibility", Visibility.PRIVATE))
    return seen & Q((f"{start}ended_at", None))


def files(viewer: User | None, *, of: str = "") -> Q:
    """Those whose files this caller may read, too; `of` as above."""
    start = f"{of}__" if of else ""
    given = Q((f"{start}gate", Gate.OPEN))
    if viewer is not None:
        granted = Access.objects.filter(person=viewer, state=AccessState.GRANTED)
        given |= Q((f"{start}owner__in", accounts.namespaces_seen_by(viewer)))
        given |= Q((f"{start}pk__in", granted.values("project")))
    return given & projects(viewer, of=of)


def is_told(project: Project, owner: Namespace) -> bool:
    """That this person or organisation may hear of it, also of its end: as they saw it before."""
    if project.visibility == Visibility.PUBLIC or project.owner_id == owner.pk:
        return True
    person = accounts.person_of(owner)
    if person is None:
        return False
    return accounts.namespaces_seen_by(person).filter(pk=project.owner_id).exists()
