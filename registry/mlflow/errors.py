# SPDX-License-Identifier: Apache-2.0
"""Refusals as MLflow's clients read them: an error code of theirs and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from django.http import JsonResponse

from registry.api.problems import Problem, document_of, headers_of


class Unsupported(Problem):
    """A filter, a name or a number that is none here."""

    code = "invalid-request"
    title = "The request is malformed"


CODES: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: "INVALID_PARAMETER_VALUE",
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "PERMISSION_DENIED",
    HTTPStatus.NOT_FOUND: "RESOURCE_DOES_NOT_EXIST",
    HTTPStatus.METHOD_NOT_ALLOWED: "ENDPOINT_NOT_FOUND",
    HTTPStatus.SERVICE_UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
}


def refused(error: Exception) -> JsonResponse | None:
    """What an exception is answered with; None for a fault of ours."""
    document = document_of(error)
    if document is None:
        return None
    code = CODES.get(document.status, "BAD_REQUEST")
    body = {"error_code": code, "message": document.detail, **document.members()}
    return JsonResponse(body, status=document.status, headers=headers_of(error))
