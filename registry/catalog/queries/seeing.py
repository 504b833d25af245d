# SPDX-License-Identifier: Apache-2.0
"""Who may see which project, and have its files: the one rule behind every list, page and digest.

A public project is everybody's to see. A private one, all that is in it, and that there is one, is
for those who are in what owns it. The rule is a condition of queries: what may not be seen is not
found, in as many queries, counted nowhere, and crowds nothing out of a list.

The files of a gated project are for those in what owns it, and for whom its owner let in, while
they are in good standing under its rules. That it is there, what it is, and what was signed about
it stays everybody's to see. The line of a pull request is no project of its author's to see: it is
found through the project that it is proposed to (pulls.py).
"""

from __future__ import annotations

from django.db.models import Q

from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, User
from registry.conduct import standing

from ..models import Gate, Project, Visibility
from ..models.accesses import Access, AccessState


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
        accepted = Q((f"{start}conduct__policy__in", standing.kept_by(viewer.namespace)))
        given |= Q((f"{start}owner__in", accounts.namespaces_seen_by(viewer)))
        given |= Q((f"{start}pk__in", granted.values("project"))) & accepted
    return given & projects(viewer, of=of)


def told(owner: Namespace, *, of: str = "") -> Q:
    """Those that this person or organisation may hear of, also of their end: as they saw them.

    `of` as above.
    """
    start = f"{of}__" if of else ""
    heard = Q((f"{start}visibility", Visibility.PUBLIC)) | Q((f"{start}owner", owner))
    person = accounts.person_of(owner)
    if person is not None:
        heard |= Q((f"{start}owner__in", accounts.namespaces_seen_by(person)))
    return heard & ~Q((f"{start}visibility", Visibility.PULL))


def is_told(project: Project, owner: Namespace) -> bool:
    """The same of one project, as it is at this moment."""
    return Project.objects.filter(told(owner), pk=project.pk).exists()
