# SPDX-License-Identifier: Apache-2.0
"""The first two minutes: the page, parts of it that are fetched anew, the form behind it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST, require_safe

from assay.signing.errors import InvalidDocument
from registry.accounts import reading
from registry.accounts.queries import User
from registry.api.numbers import whole
from registry.api.problems import NotFound, Problem
from registry.conduct import queries as conduct_queries
from registry.ledger import queries as ledger_queries
from registry.outputs import queries as output_queries
from registry.outputs import services as outputs
from registry.outputs.queries import State
from registry.pool import queries as pool
from registry.pool.queries import Run

from . import listing, queries, services, themes
from .errors import TicketRefused

UNPROCESSABLE = 422
LEDGER_ROWS = 50
MAX_NAME = 80  # more than a name has: what is longer is nobody's
LARGEST = 10**15 - 1  # a number that somebody writes
WITNESS_SECONDS = 30  # a look is one small file as long as nothing was added
MONITOR_SECONDS = 60
ANSWER_SECONDS = 30.0  # as the API waits: docs/spec/http.md
BACKEND = "registry.accounts.passwords.PasswordBackend"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`site/home.html`; `?output=ID` shows that answer instead of the newest sample."""
    return _home(request, chosen=request.GET.get("output", ""))


@require_POST
@login_required
def ask(request: HttpRequest) -> HttpResponse:
    """The prompt form without a script: generate, sign, and show the answer with its tree."""
    fields = {name: request.POST.get(name, "") for name in ("checkpoint", "prompt", "temperature")}
    max_new_bytes = request.POST.get("max_new_bytes", "")
    try:
        document = {**fields, "max_new_bytes": _integer(max_new_bytes)}
        wanted = outputs.Request.parse(document)
        asked = outputs.ask(wanted, by=_person(request))
        output = outputs.for_an_end(asked.pk, seconds=ANSWER_SECONDS)
    except (Problem, InvalidDocument) as refusal:
        refused = Asked(fields["prompt"], max_new_bytes, fields["temperature"], refusal)
        return _home(request, asked=refused)
    if output.state != State.SIGNED:
        return redirect(output.path)
    return HttpResponseRedirect(f"{reverse('home')}?output={output.pk}#asking")


@require_safe
def samples(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The list of samples, for `<live-samples>`."""
    context = {"samples": queries.samples(_run(request, run_id))}
    return render(request, "site/parts/samples.html", context)


@require_safe
def losses(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """The points of the chart, for `<loss-chart>` after it was out of sight."""
    return JsonResponse(pool.shown_losses(_run(request, run_id)), safe=False)


@require_safe
def answer(request: HttpRequest, output_id: uuid.UUID) -> HttpResponse:
    """The parts of the page that one signed answer makes, for `<prompt-box>`."""
    viewer = reading.viewer(request, reading.OUTPUTS)
    found = queries.newest_answer(viewer, str(output_id))
    if found is None:
        raise NotFound("expected a signed output that you may see")
    return render(request, "site/parts/answered.html", {"answer": found})


@require_safe
def text(request: HttpRequest, output_id: uuid.UUID) -> HttpResponse:
    """The exact bytes that an output's statement is about."""
    output = output_queries.output(output_id, reading.viewer(request, reading.OUTPUTS))
    if output.state != State.SIGNED or output.sampling is None:
        raise NotFound("expected an output with a text of ours that is signed")
    return HttpResponse(output.text.encode(), content_type="text/plain; charset=utf-8")


@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    """`site/ledger.html`: the newest entries, or with `?before=INDEX` those before it.

    With `?signer=NAME` only those that a person or an organisation signed (`signer`).
    """
    if "signer" in request.GET:
        return _signed_by(request, request.GET["signer"][:MAX_NAME].strip().lower())
    head = ledger_queries.newest_head()
    size = head.size if head else 0
    before = whole(request.GET.get("before", ""), most=LARGEST)
    end = size if before is None else min(before, size)
    start = max(0, end - LEDGER_ROWS)
    context = {
        "rows": [listing.of_entry(each) for each in ledger_queries.between(start, end)],
        "size": size,
        "newer": end + LEDGER_ROWS if end < size else None,
        "older": start or None,
    }
    return render(request, "site/ledger.html", context)


def _signed_by(request: HttpRequest, signer: str) -> HttpResponse:
    before = whole(request.GET.get("before", ""), most=LARGEST)
    found = list(ledger_queries.signed_by(signer, before=before)[: LEDGER_ROWS + 1])
    shown = found[:LEDGER_ROWS]
    context = {
        "rows": [listing.of_statement(each) for each in shown],
        "signer": signer,
        "older": shown[-1].entry.index if len(found) > LEDGER_ROWS else None,
    }
    return render(request, "site/ledger.html", context)


@require_safe
def witness(request: HttpRequest) -> HttpResponse:
    """`site/witness.html`: a tab that witnesses, and the program that does it better."""
    monitor = f"assay monitor {settings.PUBLIC_URL} --state ledger-seen --every {MONITOR_SECONDS}"
    context = {"seconds": WITNESS_SECONDS, "monitor": monitor}
    return render(request, "site/witness.html", context)


@require_safe
def conduct(request: HttpRequest) -> HttpResponse:
    """`site/conduct.html`: every version of every policy."""
    return render(request, "site/conduct.html", {"versions": conduct_queries.versions()})


@require_GET  # no HEAD: whoever only looks must not use the link up
def welcome(request: HttpRequest, ticket: str) -> HttpResponse:
    """The link that `./run up` prints: signs the demonstration's person in, once."""
    try:
        person = services.redeem(ticket)
    except TicketRefused:
        if request.user.is_authenticated:  # the same person pressed it twice
            return redirect("home")
        return render(request, "site/ticket_refused.html", status=TicketRefused.status_code)
    login(request, person, backend=BACKEND)
    return redirect("home")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or neither, and go back."""
    target = request.POST.get("next", "/")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    response = HttpResponseRedirect(target if is_ours else "/")
    chosen = themes.parse(request.POST.get("theme", ""))
    response.set_cookie(
        themes.COOKIE,
        chosen.value,
        max_age=themes.COOKIE_SECONDS,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


@dataclass(frozen=True, slots=True)
class Asked:
    """A refused request, to be shown again with the reason."""

    prompt: str
    max_new_bytes: str
    temperature: str
    refusal: Problem | InvalidDocument

    @property
    def reason(self) -> str:
        """In the refusal's own words."""
        return str(getattr(self.refusal, "detail", self.refusal))


def _home(request: HttpRequest, *, chosen: str = "", asked: Asked | None = None) -> HttpResponse:
    run = pool.newest_run()
    found = queries.newest_answer(reading.viewer(request, reading.OUTPUTS), chosen)
    asking = queries.asking(run, request.user)
    if asked is not None:
        asking = replace(
            asking,
            prompt=asked.prompt,
            max_new_bytes=asked.max_new_bytes,
            temperature=asked.temperature,
        )
    context = {
        "reading": queries.reading(run) if run else None,
        "samples": queries.samples(run) if run else [],
        "asking": asking,
        "answer": found,
        "prompt_error": asked.reason if asked else "",
    }
    return render(request, "site/home.html", context, status=UNPROCESSABLE if asked else 200)


def _run(request: HttpRequest, run_id: uuid.UUID) -> Run:
    return pool.visible_run(run_id, reading.viewer(request, reading.CHECKPOINTS))


def _person(request: HttpRequest) -> User:
    """Whoever asks; `login_required` has let them through."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view that demands a sign-in")
    return request.user


def _integer(written: str) -> int:
    if (found := whole(written, most=LARGEST)) is None:
        raise InvalidDocument("max_new_bytes", "a whole number", ascii(written[:40]))
    return found
