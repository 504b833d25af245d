# SPDX-License-Identifier: Apache-2.0
"""The pages of policies and their versions, and the form in which a person accepts or withdraws."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from assay.signing.envelope import pae
from assay.signing.statements import Consent
from registry.accounts import queries as accounts
from registry.accounts.names import MAX_LENGTH
from registry.accounts.queries import Namespace, User
from registry.ledger.errors import NotIncluded

from . import accepted, comparing, proving, queries, services, standing, wording
from .errors import NotAccepted, NotFound
from .models import Acceptance, PolicyVersion

SHOWN = 10  # organisations, beside the rules
BINARY = "application/octet-stream"
PIECES: Mapping[str, tuple[str, Callable[[Consent], bytes]]] = {
    "consent.json": ("application/json", lambda signed: signed.envelope.canonical()),
    "key.pem": ("application/x-pem-file", lambda signed: signed.pem),
    "signed.bin": (BINARY, lambda signed: pae(signed.envelope.payload)),
    "signature.der": (BINARY, lambda signed: signed.envelope.signature),
}
EVIDENCE = "acceptance.json"
UNKEPT = "private, no-store"  # it has the salt
SHOWING = {"evidence": EVIDENCE, "show": f"assay verify FILE --acceptance {EVIDENCE}"}
CHECK = "openssl dgst -sha256 -verify key.pem -signature signature.der signed.bin"


@require_safe
def version(request: HttpRequest, policy: str, number: str) -> HttpResponse:
    """`conduct/version.html`: version, its rules and clauses, before, statement, index, parties.

    `clauses` are wording.ReadClause; `before` is the version that this one followed, `newest` the
    one that is newer than all, and `wanted` the one to accept by now. `standing` and
    `organisations` are as on the policy's page, of those who accepted this version. `parties` are
    the names that the viewer acts for, each with the `acceptance` that is in force; `untyped` is
    the one for whom something else was typed.
    """
    return _shown(request, _version(policy, number))


@require_safe
def policy(request: HttpRequest, policy: str) -> HttpResponse:
    """`conduct/policy.html`: the versions of a policy, the newest first, and who stands under it.

    `standing` is how many do, `organisations` (accepted.Organisations) those that are named here.
    """
    versions = queries.versions().filter(policy_id=policy)
    if not versions:
        raise Http404("expected a policy of which there is a version")
    context = {"versions": versions, **_accepted(policy)}
    return render(request, "conduct/policy.html", context)


@require_safe
def organisations(request: HttpRequest, policy: str, number: str = "") -> HttpResponse:
    """`conduct/organisations.html`: those that stand under a policy, or accepted this version.

    `?after=NAME` has those that come after it; `newest` is the policy's newest version.
    """
    found = _version(policy, number) if number else None
    newest = queries.newest(policy)
    if newest is None:
        raise Http404("expected a policy of which there is a version")
    after = request.GET.get("after", "")[:MAX_LENGTH]
    listed = accepted.organisations(policy, found, after=after)
    context = {"version": found, "newest": newest, "organisations": listed}
    return render(request, "conduct/organisations.html", context)


@require_safe
def changes(request: HttpRequest, policy: str, number: str) -> HttpResponse:
    """`conduct/changes.html`: what a version changed of the one before, word by word.

    Its title and its licence, too: `licence` is empty where that stays.
    """
    found = _version(policy, number)
    before = queries.before(found)
    if before is None:
        raise Http404("expected a version that followed another one")
    rules = queries.rules(before), queries.rules(found)
    context = {
        "version": found,
        "before": before,
        "title": comparing.words(before.title, found.title),
        "licence": comparing.licence(*rules),
        "changes": comparing.changes(*rules),
        "is_reordered": comparing.is_reordered(*rules),
    }
    return render(request, "conduct/changes.html", context)


@login_required
@require_safe
def acceptances(request: HttpRequest) -> HttpResponse:
    """`conduct/acceptances.html`: what the names that the viewer decides for accepted, and when.

    `evidence` shows one, and `show` takes it. `signed` is what a key of their own signed; `pieces`
    are its files, and `check` verifies them.
    """
    found = list(queries.acceptances(_decided_for(request)))
    ended = standing.ended_by(found)
    rows = [
        {"acceptance": each, "ended_by": ended.get(each.pk), "signed": each.signed}
        for each in found
    ]
    context = {"rows": rows, "pieces": list(PIECES), "check": CHECK, **SHOWING}
    return render(request, "conduct/acceptances.html", context)


@login_required
@require_safe
def piece(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """A file of an acceptance: what shows it, and what the party's own key signed, for openssl.

    /settings/conduct/{number}/acceptance.json; consent.json, key.pem, signed.bin or signature.der.
    """
    found = queries.acceptances(_decided_for(request)).filter(pk=number).first()
    if found is not None and name == EVIDENCE:
        return _attached(name, "application/json", _evidence(found), **{"Cache-Control": UNKEPT})
    signed = None if found is None else found.signed
    if signed is None or name not in PIECES:
        raise Http404("expected a piece of what you signed with a key of your own")
    media_type, cut = PIECES[name]
    return _attached(name, media_type, cut(signed))


def _evidence(of: Acceptance) -> bytes:
    try:
        return proving.of(of).canonical()
    except NotIncluded as soon:
        raise Http404(str(soon)) from soon


def _attached(name: str, media_type: str, content: bytes, **more: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **more}
    return HttpResponse(content, content_type=media_type, headers=headers)


@login_required
@require_POST
def answer(request: HttpRequest, policy: str, number: str) -> HttpResponse:
    """The form: `owner`, and `typed`, the version, or `withdraw`; back to the page.

    Nobody accepts with one press of a button: they type which version it is that they read.
    """
    found = _version(policy, number)
    person = request.user
    party = accounts.namespace(request.POST.get("owner", ""))
    if not isinstance(person, User) or party is None or not accounts.may_govern(person, party):
        raise Http404("expected a name that you decide for")
    if "withdraw" in request.POST:
        _withdraw(found, party, person)
    elif request.POST.get("typed", "").strip() != found.version:
        return _shown(request, found, untyped=party.name)
    else:
        services.accept(found, party, person)
    return HttpResponseRedirect(found.path)


def _shown(request: HttpRequest, found: PolicyVersion, *, untyped: str = "") -> HttpResponse:
    rules = queries.rules(found)
    context = {
        "version": found,
        "rules": rules,
        "clauses": wording.clauses(rules),
        "before": queries.before(found),
        "newest": queries.newest(found.policy_id),
        "wanted": queries.to_accept(found.policy_id),
        "statement": found.statement,
        "index": found.statement.entry.index,
        "parties": _parties(request, found),
        "untyped": untyped,
        **_accepted(found.policy_id, found),
    }
    return render(request, "conduct/version.html", context)


def _accepted(policy: str, version: PolicyVersion | None = None) -> dict[str, object]:
    counted = accepted.count(policy, version)
    return {
        "standing": counted,
        "standing_in_words": accepted.in_words(counted),
        "organisations": accepted.organisations(policy, version, most=SHOWN),
    }


def _version(policy: str, number: str) -> PolicyVersion:
    try:
        return queries.version(policy, number)
    except NotFound as error:
        raise Http404(str(error.detail)) from error


def _parties(request: HttpRequest, of: PolicyVersion) -> list[dict[str, object]]:
    """Each with the acceptance of this version that stands."""
    parties = _decided_for(request)
    found = {each.name: queries.live_acceptance(each, of) for each in parties}
    ended = standing.ended_by(each for each in found.values() if each is not None)
    return [
        {"name": name, "acceptance": None if each and each.pk in ended else each}
        for name, each in found.items()
    ]


def _decided_for(request: HttpRequest) -> list[Namespace]:
    """The viewer, and the organisations that they own."""
    person = request.user
    if not isinstance(person, User):
        return []
    named = accounts.namespaces_of(person)
    return [each for each in named if accounts.may_govern(person, each)]


def _withdraw(found: PolicyVersion, party: Namespace, person: User) -> None:
    try:
        services.withdraw(found, party, person)
    except NotAccepted:
        return  # withdrawn already: what the form asks for is so
