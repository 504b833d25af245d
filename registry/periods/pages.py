# SPDX-License-Identifier: Apache-2.0
"""Exports of a period in a browser: asked for by a form, and saved as a file.

periods/export.html   names (to choose from), name, since, until, today, retention, keep_until,
                      check (a command), problem
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import Throttled

from assay.signing.errors import SignerError
from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.api.problems import Problem
from registry.api.streamed import Streamed

from . import services
from .services import MEDIA_TYPE, Period

DAY = timedelta(days=1)
BAD_REQUEST, TOO_MANY, UNAVAILABLE = 400, 429, 503


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> HttpResponseBase:
    """/settings/exports: POST answers the file."""
    assert isinstance(request.user, User)  # noqa: S101 - login_required, for the type checker
    if request.method != "POST":
        return _page(request, request.user)
    since, until = _day(request, "since"), _day(request, "until")
    if since is None or until is None or not since <= until:
        said = _("Expected a first day, and a last day that is not before it.")
        return _page(request, request.user, problem=said, status=BAD_REQUEST)
    now = timezone.now()
    period = Period(
        name=request.POST.get("name", ""),
        since=_midnight(since),
        until=min(_midnight(until + DAY), now.replace(microsecond=0)),
    )
    if period.until <= period.since:
        said = _("Expected a period that has begun.")
        return _page(request, request.user, problem=said, status=BAD_REQUEST)
    return _answered(request, request.user, period)


def _answered(request: HttpRequest, person: User, period: Period) -> HttpResponseBase:
    try:
        lines = services.export(period, by=person)
    except Problem as problem:
        return _page(request, person, problem=str(problem.detail), status=problem.status_code)
    except Throttled as throttled:
        return _page(request, person, problem=str(throttled.detail), status=TOO_MANY)
    except SignerError:
        said = _("The signer is away, so that nothing could be signed. Try again in a while.")
        return _page(request, person, problem=said, status=UNAVAILABLE)
    name = f"{period.name}-{period.since:%Y%m%d}-{period.until:%Y%m%d}.ndjson"
    answer = Streamed(lines, content_type=MEDIA_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _page(
    request: HttpRequest, person: User, *, problem: str = "", status: int = 200
) -> HttpResponse:
    today = timezone.now().date()
    context = {
        "names": accounts.namespaces_governed_by(person),
        "name": request.POST.get("name", ""),
        "since": request.POST.get("since") or today.replace(day=1).isoformat(),
        "until": request.POST.get("until") or today.isoformat(),
        "today": today.isoformat(),
        "retention": services.retention(),
        "keep_until": services.keep_until(timezone.now()),
        "check": f"assay audit verify FILE --ledger {settings.PUBLIC_URL}",
        "problem": problem,
    }
    return render(request, "periods/export.html", context, status=status)


def _day(request: HttpRequest, field: str) -> date | None:
    try:
        return date.fromisoformat(request.POST.get(field, ""))
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
