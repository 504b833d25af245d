# SPDX-License-Identifier: Apache-2.0
"""Problems: every refusal as application/problem+json (RFC 9457), whoever raises it.

A refusal of ours is a subclass of `Problem` with a stable code, in its app's errors.py. Refusals of
Django (pages.py), of its REST framework, of the `assay.signing` library and of the signer are
translated.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from assay.signing.errors import AssayError, InvalidDocument, SignerError
from assay.signing.signer.errors import BadRequest, WrongPurpose, WrongStatement

if TYPE_CHECKING:  # views ask for the settings, which name modules that import this one
    from rest_framework.request import Request
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
MAX_FOUND_CHARACTERS = 80
# Of the signer's refusals (docs/spec/signer.md) those that are about the request itself: the same
# request is refused for ever. All others pass, with the signer's restart or its operator's help.
FINAL = frozenset({BadRequest.code, WrongPurpose.code, WrongStatement.code})
AWAY_SECONDS = 5  # by then a restart of PostgreSQL is over, or it is none


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """What is wrong with one field; `field` is its dotted path in the body."""

    field: str
    message: str


class Problem(exceptions.APIException):
    """A refusal; `detail` says what was expected and what was found, and holds no secret."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request was refused"
    status_code = 400

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Headers go out with the answer, as Retry-After does."""
        super().__init__(detail)
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


class InvalidRequest(Problem):
    """The request cannot be understood at all: its JSON, its cursor, a NUL in its address."""

    code = "invalid-request"
    title = "The request is malformed"


class NotFound(Problem):
    """Unknown, or private to somebody else: the answer is the same."""

    code = "not-found"
    title = "There is nothing here for you"
    status_code = 404


class TooLarge(Problem):
    """The body is larger than this route takes."""

    code = "body-too-large"
    title = "The body is larger than this route takes"
    status_code = 413


class TruncatedBody(Problem):
    """The caller stopped sending before the body's end."""

    code = "truncated-body"
    title = "The body ended too soon"


class DatabaseAway(Problem):
    """The registry's database does not answer now; nothing of the request was kept."""

    code = "database-away"
    title = "The database does not answer now"
    status_code = 503

    def __init__(self) -> None:
        """What the database said names hosts and users; it is in the registry's log."""
        super().__init__(
            "expected the registry's database to answer, but it does not; try again",
            headers={"Retry-After": str(AWAY_SECONDS)},
        )


# How Django says it, whichever way the connection was lost; a query that was chosen to end a
# deadlock is one too, and may be tried again as well.
AWAY = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The members of a problem document, before they are JSON."""

    code: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldProblem, ...] = ()

    @classmethod
    def of(cls, problem: Problem) -> Document:
        """What a refusal of ours says."""
        return cls(
            code=problem.code,
            title=problem.title,
            status=problem.status_code,
            detail=str(problem.detail),
            errors=problem.errors,
        )

    def members(self) -> dict[str, object]:
        """As http.md writes it."""
        return {
            "type": f"{settings.PUBLIC_URL}/errors/{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [asdict(error) for error in self.errors],
        }

    def encoded(self) -> bytes:
        """For the handlers below Django (asgi.py, storage/streams.py)."""
        return json.dumps(self.members(), ensure_ascii=False).encode()

    def response(self, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """For Django views and error handlers."""
        return HttpResponse(
            self.encoded(), status=self.status, content_type=CONTENT_TYPE, headers=headers
        )


# What Django REST framework raises: our code and title. An exception's own classes come first.
TITLES: dict[type[exceptions.APIException], tuple[str, str]] = {
    exceptions.ValidationError: ("invalid", "Some fields are missing or wrong"),
    exceptions.ParseError: ("invalid-request", "The request is malformed"),
    exceptions.AuthenticationFailed: ("authentication-failed", "These credentials are not valid"),
    exceptions.NotAuthenticated: ("authentication-required", "This needs a token or a session"),
    exceptions.PermissionDenied: ("forbidden", "You may not do this"),
    exceptions.NotFound: ("not-found", "There is nothing here for you"),
    exceptions.MethodNotAllowed: ("method-not-allowed", "This address does not take this method"),
    exceptions.NotAcceptable: ("not-acceptable", "This is not served in the form you accept"),
    exceptions.UnsupportedMediaType: ("unsupported-media-type", "This media type is not taken"),
    exceptions.Throttled: ("throttled", "Too many requests"),
}


# What a refusal can be raised as; which of these are faults of ours, `document_of` says.
REFUSALS = (
    exceptions.APIException,
    Http404,
    PermissionDenied,
    OperationalError,
    InterfaceError,
    AssayError,
)


def document_of(error: Exception) -> Document | None:
    """The problem an exception stands for; None for what is no refusal but a fault of ours."""
    match error:
        case Problem():
            return Document.of(error)
        case Http404() | PermissionDenied() | OperationalError() | InterfaceError():
            return document_of(_of_django(error))
        case exceptions.APIException():
            return _of_framework(error)
        case SignerError():
            return _of_library(error, _said_by_signer(error))
        case AssayError():
            return _of_library(error, str(error))
        case _:
            return None


def heading(of: type[AssayError]) -> tuple[str, int]:
    """Title and status of what the `assay.signing` library or the signer refuses."""
    if not issubclass(of, SignerError):
        return "A document in the request is not valid", 422
    if of.code in FINAL:
        return "The signer does not sign this", 422
    return "The signer does not sign now", 503


def _of_library(error: AssayError, detail: str) -> Document:
    title, status = heading(type(error))
    errors = (_field_of(error),) if isinstance(error, InvalidDocument) else ()
    return Document(code=error.code, title=title, status=status, detail=detail, errors=errors)


def _said_by_signer(error: SignerError) -> str:
    """Its message may name files of this machine; it is in the signer's own log."""
    if error.code in FINAL:
        return (
            f"expected what the signer may sign, but it says {error.reason}; "
            "the same request is refused again"
        )
    return f"expected a signature, but the signer says {error.reason}; try again later"


def exception_handler(error: Exception, context: Mapping[str, object]) -> Response | None:
    """REST framework's hook: None lets the exception go on to Django's handler for faults."""
    document = document_of(error)
    if document is None:
        return None
    if isinstance(error, AWAY):
        logger.warning("the database does not answer: %s", error)
    view, request = cast("APIView", context["view"]), cast("Request", context["request"])
    document = replace(document, detail=_detail(error, view, request) or document.detail)
    response = Response(document.members(), status=document.status, headers=headers_of(error))
    response.content_type = CONTENT_TYPE
    return response


def _detail(error: Exception, view: APIView, request: Request) -> str | None:
    """What was expected and found, where REST framework only says that something was wrong."""
    match error:
        case exceptions.NotAuthenticated():
            return "expected a token (Authorization: Bearer …) or a session, found neither"
        case exceptions.MethodNotAllowed():
            return f"expected {', '.join(view.allowed_methods)}, found {request.method or ''}"
        case exceptions.NotAcceptable():
            served = ", ".join(renderer.media_type or "" for renderer in view.renderer_classes)
            return (
                f"expected an Accept header that takes {served}, found {_sent(request, 'Accept')}"
            )
        case exceptions.UnsupportedMediaType():
            taken = ", ".join(parser.media_type for parser in view.parser_classes)
            return f"expected a body of type {taken}, found {_sent(request, 'Content-Type')}"
        case _:
            return None


def _sent(request: Request, header: str) -> str:
    return ascii(request.headers.get(header, "")[:MAX_FOUND_CHARACTERS])


def _field_of(error: InvalidDocument) -> FieldProblem:
    """`files[3].name` is `files.3.name` in a problem, as REST framework writes it."""
    field = error.field.replace("[", ".").replace("]", "")
    return FieldProblem(field=field, message=f"expected {error.expected}, found {error.found}")


def headers_of(error: Exception) -> dict[str, str]:
    """The headers that go with a refusal."""
    if isinstance(error, AWAY):
        error = DatabaseAway()
    headers = dict(error.headers) if isinstance(error, Problem) else {}
    if isinstance(error, exceptions.APIException):
        challenge = getattr(error, "auth_header", None)
        if challenge:
            headers["WWW-Authenticate"] = str(challenge)
        wait = getattr(error, "wait", None)
        if wait is not None:
            headers["Retry-After"] = str(int(wait))
    return headers


def _of_django(error: Exception) -> exceptions.APIException:
    match error:
        case Http404():
            return NotFound("no such thing, or it is not yours to see")
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case _:
            return DatabaseAway()


def _of_framework(error: exceptions.APIException) -> Document:
    code, title = next(
        (TITLES[kind] for kind in type(error).__mro__ if kind in TITLES),
        (str(error.default_code), "The request was refused"),
    )
    if isinstance(error, exceptions.ValidationError):
        errors = tuple(_fields(error.detail, ""))
        detail = "; ".join(
            f"{one.field}: {one.message}" if one.field else one.message for one in errors
        )
    else:
        errors, detail = (), str(error.detail)
    return Document(code=code, title=title, status=error.status_code, detail=detail, errors=errors)


def _fields(detail: object, field: str) -> Iterator[FieldProblem]:
    """REST framework nests its messages as the body is nested; a problem lists them with paths."""
    match detail:
        case dict():
            for key, inner in detail.items():
                name = "" if key == "non_field_errors" else str(key)
                yield from _fields(inner, f"{field}.{name}".strip("."))
        case list():
            for index, inner in enumerate(detail):
                nested = isinstance(inner, dict | list)
                yield from _fields(inner, f"{field}.{index}".strip(".") if nested else field)
        case _:
            yield FieldProblem(field=field, message=str(detail))
