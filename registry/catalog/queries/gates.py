# SPDX-License-Identifier: Apache-2.0
"""Whether a caller may have the files of a project that they see, and where to ask if not.

The rule itself is a condition of queries (seeing.files); this says it of one project, in words that
people can act on. What was signed about a gated project, signatures too, is everybody's.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import Count, QuerySet

from assay.signing.manifest import SIGNATURE_NAMES
from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.conduct import queries as conduct
from registry.conduct import standing
from registry.conduct.queries import PolicyVersion

from ..errors import AccessNeeded
from ..models import File, Gate, Project, State
from ..models.accesses import Access, AccessState
from . import seeing

__all__ = ["Access", "AccessState", "Gate"]


def admits(project: Project, viewer: User | None) -> bool:
    """That whoever asks, and sees the project, has its files: let in, and by its rules."""
    if not project.is_gated:
        return True
    if viewer is None:
        return False
    if is_own(project, viewer):
        return True
    return is_let_in(project, viewer) and standing.is_good(viewer.namespace, project.conduct)


def is_own(project: Project, person: User) -> bool:
    """That they are in what owns it: they see it whatever it is, and have nothing to ask for."""
    return accounts.namespaces_seen_by(person).filter(pk=project.owner_id).exists()


def is_let_in(project: Project, viewer: User) -> bool:
    """That its owner let them in; whether they are in good standing is another question."""
    rows = Access.objects.filter(project=project, person=viewer)
    return rows.filter(state=AccessState.GRANTED).exists()


def check(project: Project, viewer: User | None) -> None:
    """Raises AccessNeeded or NotAccepted, which say what to do.

    Where what somebody accepted stands for a while only, the answer says so.
    """
    if not project.is_gated or (viewer is not None and is_own(project, viewer)):
        return
    if viewer is None or not is_let_in(project, viewer):
        raise AccessNeeded(_refusal(project, viewer))
    standing.require(viewer.namespace, project.conduct)


def rules_to_accept(project: Project, viewer: User | None) -> PolicyVersion | None:
    """What this person has to accept to have the files of a gated project; None if that is done."""
    if not project.is_gated or viewer is None or is_own(project, viewer):
        return None
    if standing.is_good(viewer.namespace, project.conduct):
        return None
    return conduct.to_accept(project.conduct.policy_id)


def check_blob(sha256: str, viewer: User | None) -> None:
    """The same for bytes that the caller may not read, if they see a project that has them."""
    seen = seeing.projects(viewer, of="checkpoint__project")
    files = File.objects.filter(seen, sha256=sha256, checkpoint__state=State.PUBLISHED)
    file = files.select_related("checkpoint__project__owner").order_by("pk").first()
    if file is not None:
        check(file.checkpoint.project, viewer)


def is_signature(name: str) -> bool:
    """That a file beside a checkpoint is no file of it, but what was signed about it."""
    return name in SIGNATURE_NAMES


def of(project: Project, person: User) -> Access | None:
    """What this person asked for, or was given, here."""
    return Access.objects.filter(project=project, person=person).first()


def all_of(project: Project) -> QuerySet[Access]:
    """All who asked or were let in; who waits longest comes first."""
    rows = Access.objects.filter(project=project, person__is_active=True)
    return rows.select_related("person", "decided_by").order_by("asked_at", "pk")


def asked(project: Project, state: AccessState) -> QuerySet[Access]:
    """Those whose request is at this state."""
    return all_of(project).filter(state=state)


def waiting(project: Project) -> int:
    """How many wait for an answer of its owner."""
    return asked(project, AccessState.ASKED).count() if project.is_gated else 0


def waiting_for(person: User) -> list[tuple[str, int]]:
    """The projects that this person decides for where somebody waits, and how many do."""
    rows = Access.objects.filter(
        state=AccessState.ASKED,
        person__is_active=True,
        project__owner__in=accounts.namespaces_governed_by(person),
        project__ended_at=None,
        project__taken_down_at=None,
    ).exclude(project__gate=Gate.OPEN)
    named = rows.values_list("project__owner__name", "project__name")
    counted = named.annotate(count=Count("pk")).order_by("project__owner__name", "project__name")
    return [(f"{owner}/{name}", count) for owner, name, count in counted]


def where_to_ask(project: Project) -> str:
    """The page on which a person asks."""
    return f"{settings.PUBLIC_URL}{project.path}/settings/ask"


def _refusal(project: Project, viewer: User | None) -> str:
    """What it is, and the next step of this very caller."""
    where = where_to_ask(project)
    what = f"{project.full_name} is gated: anybody sees it, and its owner decides who has its files"
    found = of(project, viewer) if viewer is not None else None
    match found:
        case Access(state=AccessState.ASKED):
            return f"{what}. You asked on {found.asked_at:%Y-%m-%d}; the answer will be at {where}"
        case Access(state=AccessState.REFUSED):
            return f"{what}. You were refused{_because(found)}; see {where}"
        case _ if viewer is None:
            return f"{what}. Ask for access at {where}, and use a token of yours"
        case _:
            return f"{what}. Ask for access at {where}"


def _because(refused: Access) -> str:
    return f": {refused.reason}" if refused.reason else ""
