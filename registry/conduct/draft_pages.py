# SPDX-License-Identifier: Apache-2.0
"""Where those who run the registry write the next version of a policy; for others it is not there.

conduct/new.html      drafts (those that are open), typed (id and title), problem
conduct/begin.html    newest (what the draft would repeat)
conduct/edit.html     draft, head (Written: as typed, or as it is), now (as it is), clauses (each
                      with says and faults), at (field to fault), whole (other faults), newest,
                      is_behind, severities, problem
conduct/clause.html   draft, clause (WrittenClause), rows (a rule each, and an empty one), deeds (by
                      kind), aims, at, changed (words, after somebody else saved), problem
conduct/preview.html  draft, before, faults (a clause's key and id, and words); of a draft without
                      any: found (Policy), title, licence, changes, is_reordered, clauses (of a
                      first version), text, binds_at, standing (how many accepted); problem
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from assay.signing.policies import Duty, Severity
from registry.accounts.queries import User
from registry.api.numbers import whole
from registry.api.problems import InvalidRequest, Problem

from . import accepted, checking, comparing, drafting, forms, queries, standing, wording
from .checking import Fault
from .errors import DraftChanged
from .models import Draft
from .wording import Said
from .written import ACTIONS, Kind, Written, WrittenClause, WrittenRule, new_key

MAX_REVISION = 2**31 - 1
METHODS = ("GET", "HEAD", "POST")
KINDS: Mapping[Kind, tuple[wording.Kind, Promise]] = {
    Kind.PROHIBITION: (wording.Kind.FORBIDS, gettext_lazy("Forbids")),
    Kind.PERMISSION: (wording.Kind.ALLOWS, gettext_lazy("Allows")),
    Kind.OBLIGATION: (wording.Kind.DEMANDS, gettext_lazy("Demands")),
}
SEVERITIES = {
    Severity.MINOR: gettext_lazy("Minor: it forbids and demands nothing new"),
    Severity.MATERIAL: gettext_lazy("Material: it is accepted anew"),
}
FIELDS = {
    "title": gettext_lazy("title"),
    "version": gettext_lazy("version"),
    "effective_on": gettext_lazy("in effect from"),
    "licence": gettext_lazy("licence"),
    "id": gettext_lazy("identifier"),
    "text": gettext_lazy("text"),
    "rules": gettext_lazy("rules"),
    **{f"rule-{n}": gettext_lazy("rules") for n in range(forms.MAX_RULES)},
}


@never_cache
@login_required
@require_http_methods(METHODS)
def new(request: HttpRequest) -> HttpResponse:
    """/conduct/new: what is being written; POST begins a policy."""
    person = _staff(request)
    typed, problem = {name: forms.line(request.POST, name) for name in ("id", "title")}, None
    if request.method == "POST":
        try:
            return redirect(drafting.begin_first(typed["id"], typed["title"], by=person).path)
        except Problem as refusal:
            problem = refusal
    context = {"drafts": drafting.open_drafts(), "typed": typed}
    return _rendered(request, "conduct/new.html", context, problem)


@never_cache
@login_required
@require_http_methods(METHODS)
def edit(request: HttpRequest, policy: str) -> HttpResponse:
    """/conduct/{policy}/edit: the draft as a whole; POST changes what stands above its clauses."""
    person = _staff(request)
    draft = drafting.draft_of(policy)
    if draft is None:
        return _begin(request, policy, person)
    if request.method != "POST":
        return _overview(request, draft)
    try:
        return redirect(_decided(request, draft, person))
    except Problem as problem:
        return _overview(request, _draft(policy), problem)


@never_cache
@login_required
@require_http_methods(METHODS)
def clause(request: HttpRequest, policy: str, key: str = "") -> HttpResponse:
    """/conduct/{policy}/edit/clause/{key}, or without a key a new one."""
    person, draft = _staff(request), _draft(policy)
    written = Written.of_row(draft.content)
    if request.method != "POST":
        found = written.clause(key) if key else WrittenClause(key="")
        if found is None:
            raise Http404("expected a clause of the draft")
        return _clause(request, draft, found)
    typed = forms.clause(request.POST, key or new_key())
    try:
        drafting.save(draft, written.put(typed), revision=_revision(request), by=person)
    except Problem as problem:
        return _clause(request, _draft(policy), typed, problem)
    if request.POST.get("decision") == "more":
        return redirect("conduct-clause", policy=policy, key=typed.key)
    return redirect(f"{draft.path}#{typed.key}")


@never_cache
@login_required
@require_http_methods(METHODS)
def preview(request: HttpRequest, policy: str) -> HttpResponse:
    """/conduct/{policy}/edit/preview: what it would change, and where it is published by two."""
    person, draft = _staff(request), _draft(policy)
    if request.method != "POST":
        return _preview(request, draft)
    try:
        return redirect(_proposed(request, draft, person))
    except Problem as problem:
        return _preview(request, _draft(policy), problem)


def _begin(request: HttpRequest, policy: str, by: User) -> HttpResponse:
    newest = queries.newest(policy)
    if newest is None:
        raise Http404("expected a policy of which there is a version")
    if request.POST.get("decision") == "begin":
        return redirect(drafting.begin(policy, by=by).path)
    return render(request, "conduct/begin.html", {"newest": newest})


def _decided(request: HttpRequest, draft: Draft, by: User) -> str:
    """What the overview's buttons do, and where they lead."""
    revision, key = _revision(request), request.POST.get("key", "")
    written = Written.of_row(draft.content)
    match request.POST.get("decision"):
        case "go-on":
            drafting.go_on(draft, revision=revision, by=by)
            return draft.path
        case "discard":
            drafting.discard(draft, revision=revision, by=by)
            messages.success(request, _("The draft is gone. What is published stays."))
            return "/conduct"
        case "up":
            written = written.moved(key, -1)
        case "down":
            written = written.moved(key, 1)
        case "remove":
            written = written.without(key)
        case _:
            written = forms.head(request.POST, written)
    drafting.save(draft, written, revision=revision, by=by)
    return f"{draft.path}#{key}" if key else draft.path


def _proposed(request: HttpRequest, draft: Draft, by: User) -> str:
    """What the preview's buttons do, and where they lead."""
    match request.POST.get("decision"):
        case "propose":
            drafting.propose(draft, revision=_revision(request), by=by)
        case "take-back":
            drafting.take_back(draft, revision=_revision(request), by=by)
        case "publish":
            number = Written.of_row(draft.content).version
            if forms.line(request.POST, "typed") != number:
                raise InvalidRequest(f"expected {number}, typed by whoever has read it")
            version = drafting.publish(draft, request.POST.get("sha256", ""), by=by)
            messages.success(request, _("It is published: signed, and in the ledger."))
            return version.path
        case _:
            raise InvalidRequest("expected a decision: propose, take-back or publish")
    return f"{draft.path}/preview"


def _overview(request: HttpRequest, draft: Draft, problem: Problem | None = None) -> HttpResponse:
    now, newest = Written.of_row(draft.content), queries.newest(draft.policy)
    found = checking.faults(draft)
    has_typed = problem is not None and "title" in request.POST
    context = {
        "draft": draft,
        "now": now,
        "head": forms.head(request.POST, now) if has_typed else now,
        "clauses": [
            {
                "clause": each,
                "says": list(map(_said, each.rules)),
                "faults": [_worded(fault) for fault in found if fault.clause == each.key],
            }
            for each in now.clauses
        ],
        "at": _by_field(found),
        "whole": [each.said for each in found if not each.clause and not each.field],
        "newest": newest,
        "is_behind": draft.base != newest,
        "severities": [(each.value, words) for each, words in SEVERITIES.items()],
    }
    return _rendered(request, "conduct/edit.html", context, problem)


def _clause(
    request: HttpRequest, draft: Draft, shown: WrittenClause, problem: Problem | None = None
) -> HttpResponse:
    now = Written.of_row(draft.content).clause(shown.key)
    is_changed = isinstance(problem, DraftChanged)
    found = () if problem else checking.faults(draft)
    rules = (*shown.rules, None) if len(shown.rules) < forms.MAX_RULES else shown.rules
    context = {
        "draft": draft,
        "clause": shown,
        "is_new": now is None,
        "rows": [_row(number, rule) for number, rule in enumerate(rules)],
        "is_full": len(shown.rules) > forms.MAX_RULES,
        "deeds": [(title, _choices(kind)) for kind, (_kind, title) in KINDS.items()],
        "aims": wording.AIMS.items(),
        "at": _by_field(found, shown.key),
        "changed": comparing.words(now.text if now else "", shown.text) if is_changed else (),
    }
    return _rendered(request, "conduct/clause.html", context, problem)


def _preview(request: HttpRequest, draft: Draft, problem: Problem | None = None) -> HttpResponse:
    before, faults = draft.base, [(each, _worded(each)) for each in checking.faults(draft)]
    ids = {each.key: each.id for each in Written.of_row(draft.content).clauses}
    context: dict[str, object] = {
        "draft": draft,
        "before": before,
        "faults": [(each.clause, ids.get(each.clause, ""), said) for each, said in faults],
    }
    if not faults:
        found = checking.readable(draft)
        rules = queries.rules(before) if before else None
        context |= {
            "found": found.policy,
            "text": found.text,
            "title": comparing.words(rules.title if rules else "", found.policy.title),
            "licence": comparing.licence(rules, found.policy) if rules else (),
            "changes": comparing.changes(rules, found.policy) if rules else (),
            "is_reordered": rules is not None and comparing.is_reordered(rules, found.policy),
            "clauses": () if rules else wording.clauses(found.policy),
            "binds_at": standing.binds_at(found.policy, timezone.now()),
            "standing": accepted.count(draft.policy),
        }
    return _rendered(request, "conduct/preview.html", context, problem)


def _row(number: int, rule: WrittenRule | None) -> dict[str, object]:
    """A rule as a form shows it."""
    says = "" if rule is None else f"{rule.kind.value}:{rule.action.value}"
    aims = () if rule is None else rule.aims
    return {"number": number, "field": f"rule-{number}", "says": says, "aims": aims}


def _choices(kind: Kind) -> list[tuple[str, Promise]]:
    words = wording.DUTIES if ACTIONS[kind] is Duty else wording.DEEDS
    return [(f"{kind.value}:{action.value}", said) for action, said in words.items()]


def _said(rule: WrittenRule) -> Said:
    """A rule in words."""
    action = rule.action
    what = wording.DUTIES[action] if isinstance(action, Duty) else wording.DEEDS[action]
    kind, _title = KINDS[rule.kind]
    return Said(kind=kind, what=what, aims=tuple(wording.AIMS[aim] for aim in rule.aims))


def _worded(fault: Fault) -> str:
    """Which field it is of, and what is wrong with it."""
    name = FIELDS.get(fault.field)
    return f"{name}: {fault.said}" if name else fault.said


def _by_field(faults: Iterable[Fault], clause: str = "") -> dict[str, str]:
    return {each.field: each.said for each in faults if each.field and each.clause == clause}


def _rendered(
    request: HttpRequest, template: str, context: Mapping[str, object], problem: Problem | None
) -> HttpResponse:
    shown = {**context, "problem": problem and str(problem.detail)}
    status = problem.status_code if problem else HTTPStatus.OK
    return render(request, template, shown, status=status)


def _draft(policy: str) -> Draft:
    found = drafting.draft_of(policy)
    if found is None:
        raise Http404("expected a policy that is being written")
    return found


def _revision(request: HttpRequest) -> int:
    """What the form was made of; none that it is not."""
    return whole(request.POST.get("revision", ""), most=MAX_REVISION) or 0


def _staff(request: HttpRequest) -> User:
    """Who asks, if they run the registry; for all others there is no such page."""
    person = request.user
    if not isinstance(person, User) or not drafting.runs_registry(person):
        raise Http404("expected somebody who runs this registry")
    return person
