# SPDX-License-Identifier: Apache-2.0
"""Refusals in the words of the Hub's clients: they read headers, and show few messages of others.

Measured: on a download they print our message for GatedRepo, RepoNotFound and 401 alone; any other
403 becomes "check your connection". So conduct that was not accepted is GatedRepo, as a gate is.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from registry.accounts.errors import InvalidToken, Unauthenticated
from registry.api.problems import Document, NotFound, Problem, document_of, headers_of
from registry.api.warnings import HEADER, plain
from registry.catalog.errors import AccessNeeded, RevisionUnknown
from registry.catalog.errors import NotFound as NotInCatalogue
from registry.conduct.errors import NotAccepted

# The very words that clients compare: with them a 401 is a bad token, and not a hidden repository.
NOBODY = "Invalid credentials in Authorization header"
EXPOSED = (
    "X-Repo-Commit",
    "X-Linked-Etag",
    "X-Linked-Size",
    "ETag",
    "Content-Range",
    "Accept-Ranges",
    "Link",
    "X-Error-Code",
    "X-Error-Message",
    "X-Request-Id",
    HEADER,
)
LATER = {"Retry-After": "5"}  # while the signer or the ledger is away
CORS = {
    "Access-Control-Allow-Origin": "*",  # no cookie opens anything here
    "Access-Control-Expose-Headers": ", ".join(EXPOSED),
}


class RepoUnknown(NotFound):
    """No project of this name, or none that the caller may see."""

    code = "repo-not-found"
    title = "There is no such repository"


class EntryUnknown(NotFound):
    """The revision has no file or folder of this name."""

    code = "entry-not-found"
    title = "The revision has no such file"


class WrongMethod(Problem):
    """The address is there, for other methods."""

    code = "method-not-allowed"
    title = "This address does not take this method"
    status_code = 405


class Unreadable(Problem):
    """The request is not what the protocol says."""

    code = "invalid-request"
    title = "The request is malformed"


GATED = "GatedRepo"
CODES: Mapping[type[Problem], str] = {
    RepoUnknown: "RepoNotFound",
    NotInCatalogue: "RepoNotFound",
    RevisionUnknown: "RevisionNotFound",
    EntryUnknown: "EntryNotFound",
    NotAccepted: GATED,
    AccessNeeded: GATED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that says no: with headers for clients, and the problem for people."""

    status: int
    headers: dict[str, str]
    body: bytes


def request_id() -> str:
    """By which an answer can be found in the program's log."""
    return secrets.token_hex(8)


def refusal(error: Exception, *, is_anonymous: bool) -> Refusal | None:
    """What an exception is answered with; None for a fault of ours."""
    document = document_of(error)
    if document is None:
        return None
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), "")
    status, message = document.status, document.detail
    if code == "RepoNotFound" and is_anonymous:
        status = Unauthenticated.status_code  # as the Hub does: it might be there for somebody
    if isinstance(error, InvalidToken):
        message = NOBODY
    headers = {
        **(LATER if status == HTTPStatus.SERVICE_UNAVAILABLE else {}),
        **headers_of(error),
        **CORS,
        "Content-Type": "application/json",
        "X-Error-Message": plain(message),
        "X-Request-Id": request_id(),
    }
    if code:
        headers["X-Error-Code"] = code
    if code == GATED:  # of which newer `hf` commands say their own words, and not ours
        headers[HEADER] = f"{document.code}; {plain(message)}"
    return Refusal(status=status, headers=headers, body=_body(document))


def _body(document: Document) -> bytes:
    """The Hub's clients read `error`, git-lfs `message`."""
    said = {"error": document.detail, "message": document.detail}
    return json.dumps({**said, **document.members()}).encode()
