# SPDX-License-Identifier: Apache-2.0
"""The web process as a whole, in memory: real tokens at the gate of blobs, caps, start, stop."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pytest_django import Settings

from registry.accounts.queries import Scope
from registry.api.wire import Message
from registry.asgi import application
from registry.storage import services
from tests.registry.callers import Heard, call
from tests.registry.people import People, secret_of

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
URL = f"/api/v1/blobs/sha256:{SHA256}"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


async def send(method: str, url: str, secret: str | None = None, body: bytes = b"") -> Heard:
    headers = {"Content-Length": str(len(body)), "Host": "localhost"}
    if secret is not None:
        headers["Authorization"] = f"Bearer {secret}"
    return await call(application, method, url, headers=headers, pieces=(body,))


@pytest.fixture
def secrets(people: People) -> dict[str, str]:
    """One token of each scope for Alice, and one of Bob's."""
    found = {scope.value: secret_of(people.alice, scope) for scope in Scope}
    return {**found, "bob": secret_of(people.bob, "publish")}


async def test_tokens_for_publishing_and_for_nodes_store_blobs(secrets: dict[str, str]) -> None:
    assert (await send("PUT", URL, secrets["publish"], CONTENT)).status == 201
    assert (await send("PUT", URL, secrets["node"], CONTENT)).status == 200
    assert (await send("PUT", URL, secrets["read"], CONTENT)).problem["code"] == "scope-missing"
    nobody = await send("PUT", URL, None, CONTENT)
    assert (nobody.status, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="assay"')


async def test_a_blob_is_its_holders_until_something_public_is_made_of_it(
    secrets: dict[str, str],
) -> None:
    await send("PUT", URL, secrets["publish"], CONTENT)
    assert (await send("GET", URL, secrets["read"])).body == CONTENT
    assert (await send("GET", URL, secrets["bob"])).status == 404
    assert (await send("HEAD", URL)).status == 404


@pytest.mark.parametrize("scope", Scope)
async def test_a_private_blob_takes_a_token_to_read_it_or_to_store_it(
    secrets: dict[str, str], scope: Scope
) -> None:
    await send("PUT", URL, secrets["publish"], CONTENT)
    is_shown = scope in {Scope.READ, Scope.PUBLISH, Scope.NODE}
    assert (await send("GET", URL, secrets[scope])).status == (200 if is_shown else 404)


async def test_a_file_of_no_checkpoint_is_not_found(secrets: dict[str, str]) -> None:
    answer = await send("GET", "/lab/model/step-1/files/model.safetensors", secrets["read"])
    assert answer.problem["code"] == "not-found"


@pytest.mark.parametrize("secret", ["assay_typo", "assay_" + "0" * 38])
async def test_a_token_that_opens_nothing_is_refused_everywhere(secret: str) -> None:
    for method, url in (("PUT", URL), ("GET", URL), ("GET", "/lab/m/c/files/f")):
        answer = await send(method, url, secret)
        assert (answer.status, answer.problem["code"]) == (401, "token-malformed")


async def test_a_body_over_the_cap_never_reaches_django() -> None:
    answer = await send("POST", "/api/v1/tokens", None, b" " * (1024**2 + 1))
    assert (answer.status, answer.problem["code"]) == (413, "body-too-large")


async def test_a_nul_in_an_address_is_refused_on_the_way_in() -> None:
    assert (await send("GET", "/api/v1/projects?cursor=%00")).problem["code"] == "invalid-request"
    assert (await send("GET", "/api/v1/schema")).status == 200


async def test_the_server_starts_and_stops() -> None:
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    answers: list[Message] = []

    async def receive() -> Message:
        return next(asked)

    async def note(message: Message) -> None:
        answers.append(message)

    await application({"type": "lifespan"}, receive, note)
    assert [answer["type"] for answer in answers] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_what_is_stored_for_the_system_is_nobodys() -> None:
    services.store(CONTENT, holder="system")
    assert not services.holds("user:alice", SHA256)
