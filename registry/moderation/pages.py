# SPDX-License-Identifier: Apache-2.0
"""Reporting, the cases that one sees, deciding and appealing them, and the public account.

moderation/report.html         subject, clauses (of its rules), values (what was typed), problem
moderation/cases.html          decides, waiting, decided (those who decide only), about, reported
moderation/case.html           `_case` says what, by who looks
moderation/transparency.html   year (transparency.Year), years, against (what, how many)
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assay.signing.digests import sha256
from registry.accounts.queries import User
from registry.api.problems import Problem
from registry.catalog.queries import Checkpoint
from registry.catalog.services import takedowns
from registry.conduct import queries as conduct
from registry.conduct.queries import PolicyVersion

from . import deciding, queries, reporting, subjects
from . import transparency as account
from .deciding import DECIDES, Proposal
from .errors import InvalidDecision, NothingToReport
from .models import MAX_NAME, MAX_REASONS, MAX_WORDS, Case, Kind, Measure, State
from .reporting import Accusation
from .subjects import Subject

MAX_SHOWN = 100
MAX_DAYS_DIGITS = 4
KINDS = {
    Kind.CHECKPOINT: gettext_lazy("Checkpoints"),
    Kind.PARTY: gettext_lazy("People and organisations"),
    Kind.NODE: gettext_lazy("Machines"),
    Kind.TOKEN: gettext_lazy("Tokens"),
    Kind.CERTIFICATE: gettext_lazy("Certificates"),
}


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """/community/report?about=…: the clauses of what it is under, and words."""
    person = _person(request)
    sent = request.POST if request.method == "POST" else request.GET
    about = sent.get("about", "").strip()[:MAX_NAME]
    if not about:
        return _report(request, None, {})
    try:
        subject = subjects.named(about, person)
    except NothingToReport as problem:
        return _report(request, None, {"about": about}, problem)
    if request.method != "POST":
        return _report(request, subject, {"about": about})
    values = {name: request.POST.get(name, "") for name in ("about", "clause", "words", "evidence")}
    try:
        case = reporting.report(subject, _accusation(subject, values), by=person)
    except Problem as problem:
        return _report(request, subject, values, problem)
    messages.success(request, _("Thank you. Two of those who run this registry will decide it."))
    return redirect("case", case_id=case.pk)


@never_cache
@login_required
@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """/community/cases: what waits, for those who decide; and one's own."""
    person = _person(request)
    context: dict[str, object] = {
        "about": queries.about(person)[:MAX_SHOWN],
        "reported": queries.reported_by(person)[:MAX_SHOWN],
    }
    if queries.decides(person):
        context["decides"] = True
        context["waiting"] = queries.waiting(person)[:MAX_SHOWN]
        context["decided"] = queries.decided(person)[:MAX_SHOWN]
    return render(request, "moderation/cases.html", context)


@never_cache
@login_required
@require_safe
def case(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """/community/cases/ID, for whoever may see it."""
    person = _person(request)
    return _case(request, _seen(case_id, person), person)


@never_cache
@login_required
@require_safe
def case_file(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """The bytes that statements name by digest: for those who decide, and who was sanctioned."""
    person = _person(request)
    found = _seen(case_id, person)
    if not (queries.is_moderator(person, found) or queries.is_accused(person, found)):
        raise Http404("expected a case that is yours to read, found none")
    sanction = queries.sanction(found)
    content = bytes(sanction.decision.case_file) if sanction else queries.case_file(found)
    return HttpResponse(content, content_type="application/json")


@login_required
@require_POST
def propose(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """The form of those who decide."""
    person = _person(request)
    found = _seen(case_id, person)
    try:
        deciding.propose(found, _proposal(request), by=person)
    except Problem as problem:
        return _case(request, found, person, values=request.POST.dict(), problem=problem)
    messages.success(request, _("Proposed. Another one of you confirms or refuses it."))
    return redirect("case", case_id=found.pk)


@login_required
@require_POST
def answer(request: HttpRequest, case_id: uuid.UUID, decision_id: int) -> HttpResponse:
    """`confirm` or `refuse`, by who did not propose it; the first one may refuse it, too."""
    person = _person(request)
    found = _seen(case_id, person)
    try:
        if "confirm" in request.POST:
            deciding.confirm(decision_id, of=found, by=person)
            messages.success(request, _("Decided. It is signed, and in the ledger in a moment."))
        else:
            deciding.refuse(decision_id, of=found, by=person)
    except Problem as problem:
        return _case(request, found, person, problem=problem)
    return redirect("case", case_id=found.pk)


@login_required
@require_POST
def appeal(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    """By whoever was sanctioned, once."""
    person = _person(request)
    words = request.POST.get("words", "")
    try:
        deciding.appeal(case_id, words, by=person)
    except Problem as problem:
        found = _seen(case_id, person)
        return _case(request, found, person, values={"words": words}, problem=problem)
    messages.success(request, _("Your appeal is filed. Others than those who decided read it."))
    return redirect("case", case_id=case_id)


@require_safe
def transparency(request: HttpRequest) -> HttpResponse:
    """/transparency?year=: this year, if none is named."""
    known = account.years(now=timezone.now())
    asked = request.GET.get("year", str(known[0]))
    year = next((each for each in known if str(each) == asked), None)
    if year is None:
        raise Http404("expected a year in which there was a registry")
    found = account.of(year)
    against = [(KINDS[Kind(kind)], number) for kind, number in sorted(found.against.items())]
    context = {"year": found, "years": known, "against": against}
    return render(request, "moderation/transparency.html", context)


def _report(
    request: HttpRequest,
    subject: Subject | None,
    values: Mapping[str, str],
    problem: Problem | None = None,
) -> HttpResponse:
    context = {
        "subject": subject,
        "clauses": conduct.rules(subject.rules).clauses if subject else (),
        "values": values,
        "limit": MAX_WORDS,
        "problem": problem.detail if problem else "",
    }
    status = problem.status_code if problem else 200
    return render(request, "moderation/report.html", context, status=status)


def _case(
    request: HttpRequest,
    of: Case,
    person: User,
    *,
    values: Mapping[str, object] | None = None,
    problem: Problem | None = None,
) -> HttpResponse:
    """Who decides sees all; who was sanctioned what it was for; who reported what came of it."""
    of.refresh_from_db()
    is_moderator, is_accused = queries.is_moderator(person, of), queries.is_accused(person, of)
    sanction = queries.sanction(of) if is_moderator or is_accused else None
    context: dict[str, object] = {
        "case": of,
        "is_moderator": is_moderator,
        "is_accused": is_accused,
        "sanction": sanction,
        "appeal": queries.appeal(of) if is_moderator or is_accused else None,
        "appeal_ends": queries.appeal_ends(sanction) if sanction else None,
        "may_appeal": is_accused and sanction is not None and queries.is_appealable(of, sanction),
        "confirmed": queries.confirmed(of) if is_moderator or is_accused else (),
        "values": values or {},
        "limits": {"words": MAX_WORDS, "reasons": MAX_REASONS},
        "problem": problem.detail if problem else "",
    }
    if is_moderator or is_accused:
        context["reports"] = queries.reports(of)
        file = bytes(sanction.decision.case_file) if sanction else queries.case_file(of)
        context["case_file_sha256"] = sha256(file)
    if is_moderator:
        context |= _for_moderators(of, person)
    status = problem.status_code if problem else 200
    return render(request, "moderation/case.html", context, status=status)


def _for_moderators(of: Case, person: User) -> dict[str, object]:
    proposal = queries.proposal(of)
    versions: dict[int, PolicyVersion] = {
        each.version_id: each.version for each in queries.reports(of)
    }
    return {
        "decisions": queries.decisions(of),
        "proposal": proposal,
        "is_own": proposal is not None and proposal.proposed_by_id == person.pk,
        "measures": sorted(DECIDES.get(State(of.state), frozenset())),
        "rules": [(each, conduct.rules(each).clauses) for each in versions.values()],
        "elsewhere": _elsewhere(of),
    }


def _elsewhere(of: Case) -> list[Checkpoint]:
    """What else has the weights of a checkpoint, and keeps them up: each is a case of its own."""
    if of.kind != Kind.CHECKPOINT:
        return []
    found = subjects.checkpoint(of)
    return list(takedowns.elsewhere(found.project, found)[:MAX_SHOWN])


def _accusation(subject: Subject, values: Mapping[str, str]) -> Accusation:
    return Accusation(
        version=subject.rules,
        clause=values["clause"],
        words=values["words"],
        evidence=values["evidence"],
    )


def _proposal(request: HttpRequest) -> Proposal:
    """`clause` is `POLICY@VERSION#CLAUSE`, as the form offers it."""
    sent = request.POST
    try:
        measure = Measure(sent.get("measure", ""))
    except ValueError as error:
        raise InvalidDecision("measure: expected one that the form offers") from error
    is_sanction = measure is Measure.SANCTION
    version, clause = _clause(sent.get("clause", "")) if is_sanction else (None, "")
    return Proposal(
        measure=measure,
        reasons=sent.get("reasons", "").strip(),
        version=version,
        clause=clause,
        days=_days(sent.get("days", "")) if is_sanction else None,
    )


def _clause(typed: str) -> tuple[PolicyVersion, str]:
    named, _hash, clause = typed.partition("#")
    policy, _at, number = named.partition("@")
    return conduct.version(policy, number), clause


def _days(typed: str) -> int | None:
    typed = typed.strip()
    if not typed:
        return None
    if not typed.isdecimal() or len(typed) > MAX_DAYS_DIGITS:
        raise InvalidDecision(f"days: expected a number, or nothing for good, found {typed[:20]!r}")
    return int(typed)


def _seen(case_id: uuid.UUID, person: User) -> Case:
    try:
        return queries.case(case_id, person)
    except Problem as error:
        raise Http404(str(error.detail)) from error


def _person(request: HttpRequest) -> User:
    """Whoever asks; `login_required` has let them through."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view that demands a sign-in")
    return request.user
