# SPDX-License-Identifier: Apache-2.0
"""Refusals as OpenAI's clients read them: the problem document, with their `error` beside it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from django.conf import settings
from rest_framework.response import Response

from registry.api import problems
from registry.api.problems import Document, Problem

from .. import queries
from ..errors import GenerationFailed, GenerationQuotaExceeded
from ..queries import Output, State


class InvalidParameter(Problem):
    """A parameter is wrong, or asks for what this registry cannot do; the error names it."""

    code = "invalid-parameter"
    title = "This parameter cannot be honoured"


class StillWaiting(Problem):
    """The text took longer than a request waits; it will be signed all the same."""

    code = "generation-slow"
    title = "The text is not there yet"
    status_code = 503


TYPES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}
# The clients ask again by themselves, twice, after 429 and 5xx. After these that is of no use, and
# each time would be one more text of a person's day.
RETRY = "X-Should-Retry"
IN_VAIN = frozenset({GenerationQuotaExceeded.code, GenerationFailed.code, StillWaiting.code})


def signed(output: Output) -> Output:
    """The output, if there is a text; raises why there is none, or none yet."""
    match State(output.state):
        case State.SIGNED:
            return output
        case State.FAILED:
            raise queries.failure_of(output)
        case State.QUEUED | State.LEASED | State.GENERATED:
            where = f"{settings.PUBLIC_URL}/api/v1/outputs/{output.pk}"
            raise StillWaiting(
                f"expected a signed text by now, found one that is {output.state}; "
                f"it goes on, and will be at {where}"
            )


def exception_handler(error: Exception, context: Mapping[str, object]) -> Response | None:
    """REST framework's hook for these views; None leaves a fault to Django."""
    refused = problems.exception_handler(error, context)
    if refused is None:
        return None
    if refused.data["code"] in IN_VAIN:
        refused[RETRY] = "false"
    refused.data = {"error": error_of(refused.data), **refused.data}
    return refused


def refusal(document: Document) -> dict[str, object]:
    """The same within a stream that has begun."""
    return {"error": error_of(document.members())}


def error_of(problem: Mapping[str, object]) -> dict[str, object]:
    """A problem's members in their words: what the clients show, and the parameter it is about."""
    status = problem["status"]
    is_ours = isinstance(status, int) and status >= HTTPStatus.INTERNAL_SERVER_ERROR
    kind = "server_error" if is_ours else "invalid_request_error"
    return {
        "message": problem["detail"],
        "type": TYPES.get(status, kind) if isinstance(status, int) else kind,
        "param": _parameter(problem["errors"]),
        "code": problem["code"],
    }


def _parameter(errors: object) -> object:
    match errors:
        case [{"field": field}, *_]:
            return field
        case _:
            return None
