# SPDX-License-Identifier: Apache-2.0
"""A battery against the Hub's addresses: junk in place of any part of a request is no fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from tests.registry.catalog.world import FILES, World, by_person, publish
from tests.registry.people import client_of
from tests.thorough import thorough

pytestmark = thorough

REPO = "/api/models/lab/small"
DIGEST = "0" * 64
JUNK: tuple[object, ...] = (
    *(None, "", " ", "\ud800", "\0", "💥\u202e" * 3_000, "../..", "=", "refs/pr/1", "HEAD"),
    *(-1, 0, 2**53 - 1, 2**64, 1.5, 1e308, True, [], [[]], {}, {"a": {}}, [None], [{}]),
)
OBJECT = {"oid": DIGEST, "size": 1}
WRITES: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("POST", f"{REPO}/preupload/main", {"files": [{"path": "a", "size": 1, "sample": ""}]}),
    ("POST", f"{REPO}/paths-info/main", {"paths": ["a"], "expand": True}),
    ("POST", f"{REPO}/branch/dev", {"startingPoint": "main"}),
    ("POST", f"{REPO}/tag/main", {"tag": "v1", "message": "m"}),
    ("PUT", f"{REPO}/settings", {"private": False, "gated": "auto", "visibility": "public"}),
    ("POST", f"{REPO}/discussions", {"title": "t", "description": "d", "pullRequest": True}),
    ("POST", f"{REPO}/discussions/1/comment", {"comment": "c"}),
    ("POST", f"{REPO}/discussions/1/title", {"title": "t"}),
    ("POST", f"{REPO}/discussions/1/status", {"status": "closed", "comment": "c"}),
    ("POST", f"{REPO}/discussions/1/merge", {"comment": "c"}),
    ("POST", f"{REPO}/user-access-request/handle", {"user": "bob", "status": "accepted"}),
    ("POST", f"{REPO}/user-access-request/grant", {"user": "bob"}),
    ("POST", "/api/repos/create", {"name": "x", "organization": "lab", "private": True}),
    ("POST", "/api/repos/move", {"fromRepo": "lab/none", "toRepo": "lab/other", "type": "model"}),
    ("DELETE", "/api/repos/delete", {"name": "none", "organization": "lab", "type": "model"}),
    ("POST", "/api/validate-yaml", {"content": "---\na: b\n---\n", "repoType": "model"}),
    ("POST", "/api/lfs/verify", OBJECT),
    (
        "POST",
        "/lab/small.git/info/lfs/objects/batch",
        {"operation": "upload", "transfers": ["basic", "multipart"], "objects": [OBJECT]},
    ),
    (
        "POST",
        "/lab/small.git/info/lfs/objects/batch",
        {"operation": "download", "objects": [OBJECT]},
    ),
    (
        "POST",
        "/oauth/token",
        {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "resource": "a/b"},
    ),
)
READS = (
    *(f"/api/models?{name}=" for name in ("search", "author", "filter", "gated", "sort", "limit")),
    *(f"/api/models?{name}=" for name in ("cursor", "pipeline_tag", "num_parameters")),
    *(f"{REPO}{rest}" for rest in ("/tree/main/", "/tree/", "/revision/", "/commits/", "/refs/")),
    *(
        f"{REPO}{rest}"
        for rest in ("/commits/main?limit=", "/commits/main?p=", "/tree/main?limit=")
    ),
    *(
        f"{REPO}{rest}"
        for rest in ("/tree/main?cursor=", "/safetensors-metadata/", "/discussions/")
    ),
    *(f"{REPO}{rest}" for rest in ("/discussions?p=", "/discussions?author=", "/xet-write-token/")),
    *("/api/models/", "/api/models/lab/", "/lab/small/commit/"),
    "/api/2.0/mlflow/registered-models/search?filter=",
    "/api/2.0/mlflow-artifacts/artifacts?path=",
)


@pytest.fixture
def client(world: World) -> APIClient:
    """Alice; faults are answers here, not exceptions."""
    publish(by_person(world, files=FILES))
    made = client_of(world.people.alice, "read", "publish")
    made.raise_request_exception = False
    return made


def spoiled(value: object, junk: object) -> Iterator[object]:
    """The value with each of its parts, one after the other, being junk."""
    yield junk
    match value:
        case dict():
            for key, part in value.items():
                yield from ({**value, key: each} for each in spoiled(part, junk))
        case list():
            for at, part in enumerate(value):
                yield from ([*value[:at], each, *value[at + 1 :]] for each in spoiled(part, junk))


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_what_is_written_may_be_anything(
    client: APIClient, method: str, path: str, body: dict[str, object]
) -> None:
    for junk in JUNK:
        for each in spoiled(body, junk):
            content = json.dumps(each)
            answer = client.generic(method, path, content, content_type="application/json")
            assert answer.status_code not in {500, 502, 504}, f"{path} {str(each)[:300]}"


@pytest.mark.parametrize("path", READS)
def test_what_is_asked_may_be_anything(client: APIClient, path: str) -> None:
    for junk in JUNK:
        text = quote(str(junk), errors="replace")
        answer = client.get(f"{path}{text}")
        assert answer.status_code not in {500, 502, 504}, f"{path} {text[:300]}"
