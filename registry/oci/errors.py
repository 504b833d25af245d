# SPDX-License-Identifier: Apache-2.0
"""Refusals as clients of OCI read them (distribution-spec 1.1, error codes)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from registry.accounts.errors import Unauthenticated
from registry.api.problems import NotFound, document_of, headers_of
from registry.catalog.errors import RevisionUnknown
from registry.hub.errors import Refusal, RepoUnknown, WrongMethod
from registry.storage.errors import InvalidDigest

VERSION = {"Docker-Distribution-API-Version": "registry/2.0"}


class BlobUnknown(NotFound):
    """No published checkpoint of the project has a file of this digest."""

    code = "blob-unknown"
    title = "The project has no such blob"


class ManifestUnknown(NotFound):
    """The project has no published checkpoint of this name, and no manifest of this digest."""

    code = "manifest-unknown"
    title = "The project has no such manifest"


class AddressUnknown(NotFound):
    """Nothing of the distribution specification is at this address."""

    code = "not-found"
    title = "There is nothing at this address"


CODES: Mapping[type[Exception], str] = {
    RepoUnknown: "NAME_UNKNOWN",
    AddressUnknown: "NAME_INVALID",
    ManifestUnknown: "MANIFEST_UNKNOWN",
    RevisionUnknown: "MANIFEST_UNKNOWN",
    BlobUnknown: "BLOB_UNKNOWN",
    InvalidDigest: "DIGEST_INVALID",
    WrongMethod: "UNSUPPORTED",
    Unauthenticated: "UNAUTHORIZED",
}
OF_STATUS: Mapping[int, str] = {
    HTTPStatus.FORBIDDEN: "DENIED",
    HTTPStatus.TOO_MANY_REQUESTS: "TOOMANYREQUESTS",
    HTTPStatus.SERVICE_UNAVAILABLE: "UNAVAILABLE",
}


def refusal(error: Exception, *, challenge: str) -> Refusal | None:
    """What an exception is answered with; None for a fault of ours."""
    document = document_of(error)
    if document is None:
        return None
    found = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), None)
    code = found or OF_STATUS.get(document.status, "UNSUPPORTED")
    headers = {**headers_of(error), **VERSION, "Content-Type": "application/json"}
    if document.status == Unauthenticated.status_code:
        headers["WWW-Authenticate"] = challenge
    said = {"code": code, "message": document.detail, "detail": document.members()}
    body = json.dumps({"errors": [said]}).encode()
    return Refusal(status=document.status, headers=headers, body=body)
