# SPDX-License-Identifier: Apache-2.0
"""The page of one output, and the page that says what is known of a text.

outputs/output.html  output, checkpoint, sampling, standing, may_show; a tag reads its tree
outputs/detect.html  asked, found (or None), refused, p_value, most_bytes; of a picture seen, scale
"""

from __future__ import annotations

import uuid
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from assay.signing.errors import InvalidDocument
from registry.accounts import queries as accounts
from registry.accounts import reading
from registry.accounts.queries import User
from registry.api.problems import NotFound

from . import detecting, limits, queries, standing
from .errors import LookingUnavailable, UnusablePicture
from .pictures import detecting as pictures


@require_safe
def output(request: HttpRequest, output_id: uuid.UUID) -> HttpResponse:
    """What was asked and answered, its claim, and the links behind it.

    `may_show`: whether the viewer may put what its caller accepted into its pack.
    """
    try:
        found = queries.output(output_id, reading.viewer(request, reading.OUTPUTS))
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    person = request.user
    context = {
        "output": found,
        "checkpoint": found.checkpoint,
        "sampling": found.sampling,
        "standing": standing.of_output(found),
        "may_show": isinstance(person, User) and accounts.may_govern(person, found.caller),
    }
    return render(request, "outputs/output.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def detect(request: HttpRequest) -> HttpResponse:
    """A form, and below it what is known; the text is in this answer and nowhere else."""
    context: dict[str, object] = {"most_bytes": detecting.MAX_TEXT_BYTES}
    status = HTTPStatus.OK
    if request.method == "POST" and request.FILES:
        limits.check(request, limits.LookingRate)
        status = _looked_at(request, context)
    elif request.method == "POST":
        limits.check(request)
        # A form sends line ends as CRLF, whatever they were (HTML, form submission).
        asked = request.POST.get("text", "").replace("\r\n", "\n")
        context["asked"] = asked
        try:
            found = detecting.detect(detecting.Question.parse({"text": asked}).text)
        except InvalidDocument as error:
            context["refused"], status = str(error), HTTPStatus.UNPROCESSABLE_ENTITY
        else:
            context |= {"found": found, "says": detecting.in_words(found)}
            context["p_value"] = f"{found.mark.p_value:.2g}" if found.mark else None
    return render(request, "outputs/detect.html", context, status=status)


def _looked_at(request: HttpRequest, context: dict[str, object]) -> HTTPStatus:
    """Of the picture in a form."""
    sent = request.FILES.get("picture")
    try:
        seen = pictures.detect(b"" if sent is None else sent.read())
    except (UnusablePicture, LookingUnavailable) as error:
        context["refused"] = str(error.detail)
        return HTTPStatus(error.status_code)
    mark = None if seen.seen is None else seen.seen.mark
    context |= {"seen": seen, "says": pictures.in_words(seen)}
    if mark:
        scale = None if mark.scale is None else f"{mark.scale:.0%}"
        context |= {"p_value": f"{mark.p_value:.2g}", "scale": scale}
    return HTTPStatus.OK
