# SPDX-License-Identifier: Apache-2.0
"""What changes who has the files of a gated project: the gate, a request, an answer to one.

The owner sets the gate, with what they want people to read before they ask; whoever sees the
project asks, once; and the owner lets in, refuses, or takes back. Every step has an audit row.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from registry.accounts.queries import User
from registry.api.problems import InvalidRequest
from registry.audit import services as audit
from registry.conduct import standing

from ..errors import AccessUnknown, AlreadyAdmitted, NotFound, NotGated
from ..models import Gate, Project
from ..models.accesses import Access, AccessState
from ..queries import gates
from . import governing, moving, receiving, telling

MAX_MESSAGE_CHARACTERS = 4_000
MAX_SAID_CHARACTERS = 2_000
MAX_REASON_CHARACTERS = 200  # what clients of the Hub send at most


def set_gate(project: Project, gate: Gate, message: str = "", *, by: User) -> Project:
    """From now on its files are given so; who was let in before stays so. Raises MayNotGovern."""
    _check_length("message", message, MAX_MESSAGE_CHARACTERS)
    with transaction.atomic():
        now = governing.held(project, by)
        if (now.gate, now.gate_message) != (gate, message):
            now.gate, now.gate_message = gate, message
            now.save(update_fields=["gate", "gate_message"])
            audit.record(by.actor, "project.gate", now.full_name, {"gate": gate.value})
    return now


def ask(project: Project, *, by: User, said: str = "") -> Access:
    """Ask for its files, under its rules; who asked before is answered what they were.

    Raises NotGated, NotAccepted, or AlreadyAdmitted for who is in what owns it.
    """
    _check_length("said", said, MAX_SAID_CHARACTERS)
    with transaction.atomic():
        now = _gated(project, by)
        if gates.is_own(now, by):
            raise AlreadyAdmitted(f"expected somebody who is not in {now.owner.name}, found one")
        standing.require(by.namespace, now.conduct)
        found = gates.of(now, by)
        if found and (found.state != AccessState.ASKED or now.gate != Gate.AUTOMATIC):
            return found
        state = AccessState.GRANTED if now.gate == Gate.AUTOMATIC else AccessState.ASKED
        made = _put(now, by, state, by=None, said=said)
        if state == AccessState.ASKED:
            telling.tell(now, telling.ASKED, {})
        audit.record(by.actor, "access.ask", now.full_name, {"state": state.value})
    return made


def give_up(project: Project, *, by: User) -> None:
    """Take back one's own request, or leave again; a refusal stays. Nothing if there is neither."""
    with transaction.atomic():
        receiving.hold_person(by)
        rows = Access.objects.filter(project=project, person=by)
        gone, _ = rows.exclude(state=AccessState.REFUSED).delete()
        if gone:
            audit.record(by.actor, "access.give-up", project.full_name, {})


def decide(
    project: Project, person: User, state: AccessState, *, by: User, reason: str = ""
) -> Access:
    """Answer a request: let in, refuse, or have it wait again. The owner may think again later.

    Raises MayNotGovern, NotGated or AccessUnknown.
    """
    _check_length("reason", reason, MAX_REASON_CHARACTERS)
    with transaction.atomic():
        now = governing.held(project, by)
        _check_gated(now)
        found = gates.of(now, person)
        if found is None:
            raise AccessUnknown(f"expected a request of {person.username}, found none")
        if found.state == state:
            return found
        return _decided(now, person, state, by=by, reason=reason)


def grant(project: Project, person: User, *, by: User) -> Access:
    """Let in somebody, whether or not they asked; raises AlreadyAdmitted who has access."""
    with transaction.atomic():
        now = governing.held(project, by)
        _check_gated(now)
        if not person.is_active:
            raise AccessUnknown("expected somebody who is here, found one who left")
        if gates.is_own(now, person) or gates.is_let_in(now, person):
            raise AlreadyAdmitted(f"expected somebody without access, found {person.username}")
        return _decided(now, person, AccessState.GRANTED, by=by)


def _decided(
    project: Project, person: User, state: AccessState, *, by: User, reason: str = ""
) -> Access:
    made = _put(project, person, state, by=by, reason=reason)
    details = {"user": person.username, "state": state.value}
    audit.record(by.actor, "access.decide", project.full_name, details)
    return made


def _put(
    project: Project,
    person: User,
    state: AccessState,
    *,
    by: User | None,
    **words: str,
) -> Access:
    """The row as it is from now on; what was said before is kept, a reason is of this answer."""
    at = timezone.now()
    waits = state == AccessState.ASKED
    answer = {
        "state": state,
        "reason": "",
        "decided_at": None if waits else at,
        "decided_by": None if waits else by,
        **words,
    }
    made, _ = Access.objects.update_or_create(
        project=project, person=person, defaults=answer, create_defaults={**answer, "asked_at": at}
    )
    return made


def _gated(project: Project, by: User) -> Project:
    """As it is by now, and stays until the transaction ends; locks as an erasure takes them."""
    receiving.hold_person(by)
    moving.hold(project)
    now = Project.objects.select_related("owner").get(pk=project.pk)
    if now.ended_at is not None:
        raise NotFound(f"expected a project, found none called {project.full_name!r}")
    _check_gated(now)
    return now


def _check_gated(project: Project) -> None:
    if not project.is_gated:
        raise NotGated(f"expected a gated project, found {project.full_name}, which is open")


def _check_length(field: str, text: str, most: int) -> None:
    if len(text) > most:
        raise InvalidRequest(f"{field}: expected at most {most} characters, found {len(text)}")
