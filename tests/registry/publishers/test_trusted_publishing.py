# SPDX-License-Identifier: Apache-2.0
"""A CI job that a project named publishes to it, for minutes, and to nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from registry.accounts.models import Token
from registry.accounts.services import remove_member
from registry.asgi import CatalogGate
from registry.audit.models import AuditRow
from registry.catalog.models import Checkpoint
from registry.publishers import services
from registry.publishers.errors import InvalidPublisher
from registry.publishers.models import Publisher
from registry.publishers.services import Description
from registry.storage import services as storage
from tests.issuer import Issuer, running
from tests.registry.catalog.conftest import world
from tests.registry.catalog.world import FILES, World, project, upload

__all__ = ["world"]  # the fixture
HERE = "http://localhost:8000"
PUBLISHERS = "/api/v1/projects/lab/small/publishers"
EXCHANGE = "/api/v1/projects/lab/small/publishing-token"
CHECKPOINTS = "/api/v1/projects/lab/small/checkpoints"
MAIN = "repo:lab/model:ref:refs/heads/main"
CLAIMS = {"repository_owner_id": "71096353"}


@pytest.fixture
def ci(settings: Settings, tmp_path: Path) -> Iterator[Issuer]:
    """A CI system that the registry believes for publishing."""
    cache.clear()
    with running() as issuer:
        path = tmp_path / "providers.json"
        provider = {"name": "ci", "issuer": issuer.url, "uses": ["publishing"]}
        path.write_text(json.dumps({"providers": [provider]}))
        settings.OIDC_PROVIDERS = str(path)
        yield issuer


@pytest.fixture
def publisher(world: World, ci: Issuer) -> Publisher:
    wanted = Description(issuer=ci.url, subject="repo:lab/model:*", claims=CLAIMS)
    return services.name(world.project, wanted, by=world.people.alice)


def token(ci: Issuer, **more: Any) -> str:  # noqa: ANN401 - JSON
    return ci.token(HERE, **{"sub": MAIN, **CLAIMS, **more})


def exchange(identity_token: str, address: str = EXCHANGE) -> Any:  # noqa: ANN401 - a response
    return APIClient().post(address, {"identity_token": identity_token})


def job(ci: Issuer) -> APIClient:
    """A client with what a job gets."""
    answer = exchange(token(ci))
    assert answer.status_code == 201, answer.content
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['secret']}")
    return client


def test_a_job_publishes_in_its_own_name(world: World, ci: Issuer, publisher: Publisher) -> None:
    manifest = upload(FILES, publisher.actor)
    answer = job(ci).post(CHECKPOINTS, {"name": "first", "manifest": manifest.to_json()})
    assert answer.status_code == 202, answer.content
    assert Checkpoint.objects.get().actor == publisher.actor
    actions = AuditRow.objects.filter(actor=publisher.actor).values_list("action", flat=True)
    assert set(actions) >= {"token.issue", "publisher.exchange", "checkpoint.receive"}


def test_what_it_gets_is_short_and_narrow(world: World, ci: Issuer, publisher: Publisher) -> None:
    answer = exchange(token(ci))
    assert answer["Cache-Control"] == "no-store"
    made = Token.objects.get(holder=publisher.actor)
    assert (made.scopes, made.project) == (["publish"], "lab/small")
    assert made.expires_at - datetime.now(UTC) < timedelta(minutes=16)


def test_it_opens_no_other_project(world: World, ci: Issuer, publisher: Publisher) -> None:
    project(world.lab, world.conduct, world.people.alice, "other")
    client = job(ci)
    body = {"name": "first", "manifest": upload(FILES, publisher.actor).to_json()}
    for address in (
        "/api/v1/projects/lab/other/checkpoints",
        "/api/v1/conduct/acceptances",
        "/api/v1/conduct/acceptances/7/withdraw",
    ):
        answer = client.post(address, body)
        assert answer.status_code in {403, 404}, address
        assert answer.status_code == 404 or answer.json()["code"] == "not-allowed"
    assert client.get("/api/v1/tokens").status_code == 403
    assert client.post(PUBLISHERS, {}).status_code == 403


def test_the_files_of_who_named_it_are_not_its(
    world: World, ci: Issuer, publisher: Publisher
) -> None:
    manifest = upload(FILES, world.people.alice.actor)
    answer = job(ci).post(CHECKPOINTS, {"name": "first", "manifest": manifest.to_json()})
    assert (answer.status_code, answer.json()["code"]) == (422, "blob-missing")


def test_it_reads_nothing_private(world: World, ci: Issuer, publisher: Publisher) -> None:
    manifest = upload(FILES, world.people.alice.actor)
    alice = APIClient()
    alice.force_login(world.people.alice)
    body = {"name": "first", "manifest": manifest.to_json()}
    assert alice.post(CHECKPOINTS, body).status_code == 202
    assert alice.get(f"{CHECKPOINTS}/first").status_code == 200
    assert job(ci).get(f"{CHECKPOINTS}/first").status_code == 404


def test_a_token_is_exchanged_once(world: World, ci: Issuer, publisher: Publisher) -> None:
    identity = token(ci)
    assert exchange(identity).status_code == 201
    answer = exchange(identity)
    assert (answer.status_code, answer.json()["code"]) == (409, "identity-token-used")


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"sub": "repo:lab/model-evil:ref:refs/heads/main"}, 403, "not-a-publisher"),
    ({"sub": "repo:evil/model:ref:refs/heads/main"}, 403, "not-a-publisher"),
    ({"repository_owner_id": "666"}, 403, "not-a-publisher"),
    ({"repository_owner_id": None}, 403, "not-a-publisher"),
    ({"aud": "sigstore"}, 401, "identity-token-refused"),
    ({"exp": 1}, 401, "identity-token-refused"),
    ({"iss": "https://other.example"}, 401, "issuer-unknown"),
]


@pytest.mark.parametrize(("more", "status", "code"), REFUSED)
def test_another_job_gets_nothing(
    world: World, ci: Issuer, publisher: Publisher, more: dict[str, Any], status: int, code: str
) -> None:
    answer = exchange(token(ci, **more))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Token.objects.filter(holder=publisher.actor).exists()


def test_a_project_that_named_nobody_refuses_everybody(world: World, ci: Issuer) -> None:
    assert exchange(token(ci)).json()["code"] == "not-a-publisher"
    assert exchange(token(ci), EXCHANGE.replace("small", "none")).status_code == 404


def test_a_publisher_that_is_taken_back_is_out_at_once(
    world: World, ci: Issuer, publisher: Publisher
) -> None:
    client = job(ci)
    alice = APIClient()
    alice.force_login(world.people.alice)
    assert alice.delete(f"{PUBLISHERS}/{publisher.pk}").status_code == 204
    assert alice.delete(f"{PUBLISHERS}/{publisher.pk}").status_code == 404
    assert client.get("/api/v1/projects").json()["code"] == "token-revoked"
    assert exchange(token(ci)).json()["code"] == "not-a-publisher"


def test_the_right_goes_with_who_lent_it(world: World, ci: Issuer) -> None:
    wanted = Description(issuer=ci.url, subject=MAIN, claims={})
    publisher = services.name(world.project, wanted, by=world.people.bob)
    manifest = upload(FILES, publisher.actor)
    client = job(ci)
    remove_member(world.people.lab, world.people.bob, by=world.people.alice)
    answer = client.post(CHECKPOINTS, {"name": "first", "manifest": manifest.to_json()})
    assert answer.json()["code"] == "may-not-publish"
    assert exchange(token(ci)).json()["code"] == "may-not-publish"


def test_who_left_locks_out_nobody_else(world: World, ci: Issuer, publisher: Publisher) -> None:
    wanted = Description(issuer=ci.url, subject=MAIN, claims={})
    services.name(world.project, wanted, by=world.people.bob)  # the newest that fits
    remove_member(world.people.lab, world.people.bob, by=world.people.alice)
    assert exchange(token(ci)).status_code == 201
    assert Token.objects.get(project="lab/small").holder == publisher.actor


def test_only_who_acts_for_the_owner_names_publishers(world: World, ci: Issuer) -> None:
    body = {"issuer": ci.url, "subject": MAIN, "claims": CLAIMS}
    for person, status in (("charlie", 403), ("bob", 201)):
        client = APIClient()
        client.force_login(getattr(world.people, person))
        assert client.post(PUBLISHERS, body).status_code == status
    (found,) = client.get(PUBLISHERS).json()
    assert (found["subject"], found["named_by"], found["claims"]) == (MAIN, "bob", CLAIMS)
    assert Client().get(PUBLISHERS).status_code == 401


SAY_TOO_LITTLE = [
    *("*", "rep*", "repo:lab/model*", "a b:*", "x", "repo:*:ref", "repo:lab/model:**"),
    *("repo:*", "repo:lab*", "repo:lab/*", "repo:lab@71096353/*", "repo:/model:*", "repo:lab/:*"),
    *("https://*", "https://ci.example/*", "https://ci.example/lab/*", "https://ci.example:8443/*"),
    *("https://ci.example:8443/lab/*", "https:///lab/*", "https:///lab/model/*"),
    *("project_path:*", "project_path:lab/*", "ref:refs/heads/*", "repository_owner:lab:*"),
    *("organization:*", "organization:lab:pipeline:*", "organization:lab:pipeline:train*"),
]


@pytest.mark.parametrize("subject", SAY_TOO_LITTLE)
def test_a_pattern_that_says_too_little_is_refused(world: World, ci: Issuer, subject: str) -> None:
    wanted = Description(issuer=ci.url, subject=subject, claims={})
    with pytest.raises(InvalidPublisher, match="subject"):
        services.name(world.project, wanted, by=world.people.alice)


@pytest.mark.parametrize(
    "subject",
    [
        *("repo:lab/model:*", "repo:lab/model:ref:*", "repo:lab@71096353/model@5:*", MAIN),
        *("project_path:lab/group/model:*", "project_path:lab/model:ref_type:branch:ref:*"),
        *("https://ci.example/lab/model/*", "https://ci.example:8443/lab/model@*"),
        *("org/0c8e/project/77aa/user/*", "organization:lab:pipeline:train:ref:*"),
    ],
)
def test_a_pattern_that_says_whose_and_what_is_taken(
    world: World, ci: Issuer, subject: str
) -> None:
    wanted = Description(issuer=ci.url, subject=subject, claims={})
    assert services.name(world.project, wanted, by=world.people.alice).subject == subject


def test_whom_an_older_version_let_be_named_is_nobody_if_it_is_everybody(
    world: World, ci: Issuer
) -> None:
    alice = world.people.alice
    Publisher.objects.create(project=world.project, issuer=ci.url, subject="repo:*", named_by=alice)
    answer = exchange(token(ci))
    assert (answer.status_code, answer.json()["code"]) == (403, "not-a-publisher")


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"a b": "x"}, "claims"),
        ({"x": ""}, "claims"),
        ({f"c{number}": "x" for number in range(17)}, "at most 16"),
    ],
)
def test_claims_that_cannot_be_are_refused(
    world: World, ci: Issuer, claims: dict[str, str], message: str
) -> None:
    wanted = Description(issuer=ci.url, subject=MAIN, claims=claims)
    with pytest.raises(InvalidPublisher, match=message):
        services.name(world.project, wanted, by=world.people.alice)


def test_an_issuer_that_is_not_believed_cannot_be_named(world: World, ci: Issuer) -> None:
    wanted = Description(issuer="https://other.example", subject=MAIN, claims={})
    with pytest.raises(InvalidPublisher, match="issuer"):
        services.name(world.project, wanted, by=world.people.alice)


def test_a_job_sends_files_and_reads_its_own_back(
    world: World, ci: Issuer, publisher: Publisher
) -> None:
    secret = exchange(token(ci)).json()["secret"]
    gate, header = CatalogGate(), f"Bearer {secret}"
    scope = {"headers": [(b"authorization", header.encode())]}
    assert gate.uploader(header) == publisher.actor
    own = storage.store(b"its own", holder=publisher.actor).sha256
    others = storage.store(b"another", holder=world.people.alice.actor).sha256
    assert gate.may_read(own, scope)
    assert not gate.may_read(others, scope)
    assert hashlib.sha256(b"its own").hexdigest() == own
