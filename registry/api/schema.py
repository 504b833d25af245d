# SPDX-License-Identifier: Apache-2.0
"""What the OpenAPI document needs beyond the views: problem answers, and the raw blob routes."""

from __future__ import annotations

from .problems import CONTENT_TYPE

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
    "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
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
