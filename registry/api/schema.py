# SPDX-License-Identifier: Apache-2.0
"""What the OpenAPI document needs beyond the views: who may ask, problems, raw blob routes."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from typing_extensions import override

from .paging import MAX_PAGE, CursorPaging
from .problems import CONTENT_TYPE

HEX = "[0-9a-f]{64}"
PAGING = (
    OpenApiParameter("cursor", str, description="from `next` or `previous` of an earlier page"),
    OpenApiParameter(
        "page_size",
        {"type": "integer", "minimum": 1},
        description=f"at most {MAX_PAGE}; else {CursorPaging.page_size}",
    ),
)
SOUGHT_FORM = f"^(sha256:)?{HEX}$"  # what digests.parse_sought takes
SOUGHT = OpenApiParameter(
    "sought",
    str,
    OpenApiParameter.PATH,
    pattern=SOUGHT_FORM,
    description="a SHA-256, as it is printed or alone",
)

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was expected and what was found."},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
REFUSAL = {"$ref": "#/components/responses/Problem"}
BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
DIGEST = {
    "name": "sha256",
    "in": "path",
    "required": True,
    "description": "64 lower-case hexadecimal digits",
    "schema": {"type": "string", "pattern": f"^{HEX}$"},
}
# storage/streams.py answers these below Django, so no view describes them.
BLOB_PATH = "/api/v1/blobs/sha256:{sha256}"
BLOB = {
    "get": {
        "operationId": "blobs_retrieve",
        "description": "The bytes; one Range is honoured, and the ETag is the digest.",
        "parameters": [DIGEST],
        "tags": ["blobs"],
        "security": [{"token": []}, {}],
        "responses": {
            "200": {"description": "the bytes", "content": BYTES},
            "206": {"description": "the range asked for", "content": BYTES},
            "304": {"description": "the caller has them"},
            "416": REFUSAL,
        },
    },
    "put": {
        "operationId": "blobs_update",
        "description": "Stores the bytes if they have this digest; needs `publish` or `node`.",
        "parameters": [DIGEST],
        "tags": ["blobs"],
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": BYTES},
        "responses": {
            "200": {"description": "this caller has stored them before"},
            "201": {"description": "stored"},
        },
    },
}


class Described(AutoSchema):
    """A view as it is described: its permissions say who may ask, and by what.

    Where reading is open, but all that is read is one's own, the view says so (`reads_own`).
    """

    @override
    def get_auth(self) -> list[dict[str, list[str]]]:
        """Any one of these will do; the empty one is nobody in particular."""
        found: list[dict[str, list[str]]] = super().get_auth()
        for permission in self.view.get_permissions():
            schemes = getattr(permission, "schemes", None)
            if schemes is not None:
                found = [each for each in found if not each or schemes & each.keys()]
            is_open = getattr(permission, "is_reading_open", False)
            is_own = getattr(self.view, "reads_own", False)
            if is_open and not is_own and self.method in SAFE_METHODS and {} not in found:
                found.append({})
        return found


def digest_field(help_text: str = "", *, required: bool = True) -> serializers.RegexField:
    """A SHA-256 as it is within documents."""
    return serializers.RegexField(f"^{HEX}$", help_text=help_text, required=required)


def id_field(help_text: str = "") -> serializers.RegexField:
    """A SHA-256 as it is printed."""
    return serializers.RegexField(f"^sha256:{HEX}$", help_text=help_text)


def complete(result: dict[str, dict[str, object]], **_hook: object) -> dict[str, dict[str, object]]:
    """drf-spectacular's postprocessing hook; every operation may answer with a problem."""
    paths: dict[str, dict[str, dict[str, dict[str, object]]]] = result["paths"]  # type: ignore[assignment]
    paths[BLOB_PATH] = BLOB  # type: ignore[assignment]
    for operations in paths.values():
        for operation in operations.values():
            operation["responses"].setdefault("default", REFUSAL)
    components = result["components"]
    components.setdefault("schemas", {})["Problem"] = PROBLEM  # type: ignore[index]
    components["responses"] = {
        "Problem": {
            "description": "refused, and nothing was changed",
            "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    return result
