# SPDX-License-Identifier: Apache-2.0
"""Why a gateway does not answer as it was asked, each with a status and a stable code."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from ..errors import AssayError


class GatewayError(AssayError):
    """The parent of these: its message goes to the caller, and holds nothing of any header."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    kind: ClassVar[str] = "invalid_request_error"
    """Its `type`, in OpenAI's words."""
    is_tried_again: ClassVar[bool] = False
    """Whether the same request, sent again, can do better and costs no second text."""


class NotServed(GatewayError):
    """The address is none under /v1/, or writes a signed one in another way."""

    code = "not-found"
    status = HTTPStatus.NOT_FOUND


class LengthUnknown(GatewayError):
    """The body's length is not said beforehand."""

    code = "length-required"
    status = HTTPStatus.LENGTH_REQUIRED


class RequestTooLarge(GatewayError):
    """The body is longer than a gateway keeps in memory."""

    code = "request-too-large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class ModelUnknown(GatewayError):
    """Nobody said which checkpoint the model is: nothing could be signed of its answer."""

    code = "model-unknown"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class UpstreamUnreachable(GatewayError):
    """The server behind the gateway does not answer."""

    code = "upstream-unreachable"
    status = HTTPStatus.BAD_GATEWAY
    kind = "server_error"
    is_tried_again = True


class UpstreamBroken(GatewayError):
    """The server behind the gateway hung up, or answered what the protocol does not know."""

    code = "upstream-broken"
    status = HTTPStatus.BAD_GATEWAY
    kind = "server_error"


class EvidenceMissing(GatewayError):
    """The registry did not sign the answer, or what it signed does not verify."""

    code = "evidence-missing"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "server_error"
