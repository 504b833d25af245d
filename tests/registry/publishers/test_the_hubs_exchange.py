# SPDX-License-Identifier: Apache-2.0
"""`POST /oauth/token` with a CI job's identity token, as the Hub's clients exchange it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from registry.accounts.models import Token
from registry.catalog.models import Project
from registry.hub.exchanging import ACCESS, GRANT, IDENTITY
from registry.publishers.models import Publisher
from tests.issuer import Issuer
from tests.registry.catalog.world import World
from tests.registry.publishers.test_trusted_publishing import ci, publisher, token, world

__all__ = ["ci", "publisher", "world"]  # the fixtures


def exchanged(identity_token: str, **more: str) -> Any:  # noqa: ANN401 - a response
    body = {
        "grant_type": GRANT,
        "subject_token_type": IDENTITY,
        "subject_token": identity_token,
        "resource": "lab/small",
        **more,
    }
    return Client().post("/oauth/token", body, content_type="application/json")


def test_a_job_gets_a_token_for_the_project_alone(
    world: World, ci: Issuer, publisher: Publisher
) -> None:
    answer = exchanged(token(ci))
    assert answer.status_code == 200, answer.content
    assert "no-store" in answer["Cache-Control"]
    said = answer.json()
    secret, seconds = said.pop("access_token"), said.pop("expires_in")
    assert said == {"token_type": "bearer", "issued_token_type": ACCESS, "scope": "publish"}
    assert 0 < seconds <= 900
    made = Token.objects.get(holder=publisher.actor)
    assert (made.scopes, made.project) == (["publish"], "lab/small")
    client = Client(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get("/api/models/lab/small/auth-check/write").status_code == 200


REFUSED: list[tuple[dict[str, str], str, str]] = [
    ({"resource": "lab/none"}, "invalid_target", "expected a project"),
    ({"resource": "alice"}, "invalid_target", "expected owner/name"),
    ({"resource": "datasets/lab/small"}, "invalid_target", "expected owner/name"),
    ({"subject_token_type": ACCESS}, "invalid_request", "expected urn:ietf"),
    ({"subject_token": "x" * (1 << 15)}, "invalid_request", "at most"),
    ({"subject_token": "x"}, "invalid_grant", "expected"),
]


@pytest.mark.parametrize(("more", "code", "said"), REFUSED)
def test_a_refusal_is_in_words_of_oauth(
    world: World, ci: Issuer, publisher: Publisher, more: dict[str, str], code: str, said: str
) -> None:
    answer = exchanged(token(ci), **more)
    assert (answer.status_code, answer.json()["error"]) == (400, code)
    assert said in answer.json()["error_description"]
    assert answer["X-Error-Message"] == answer.json()["error_description"]
    assert not Token.objects.exists()


def test_another_job_gets_nothing_and_a_token_is_exchanged_once(
    world: World, ci: Issuer, publisher: Publisher
) -> None:
    assert exchanged(token(ci, sub="repo:evil/model:x")).json()["error"] == "invalid_grant"
    identity = token(ci)
    assert exchanged(identity).status_code == 200
    assert exchanged(identity).json()["error"] == "invalid_grant"


def test_a_private_project_is_not_there_for_a_job_that_it_did_not_name(
    world: World, ci: Issuer, publisher: Publisher
) -> None:
    Project.objects.update(visibility="private")
    stranger = token(ci, sub="repo:evil/model:x")
    refused, unknown = exchanged(stranger), exchanged(stranger, resource="lab/other")
    assert refused.json()["error"] == unknown.json()["error"] == "invalid_target"
    assert (
        refused.json()["error_description"].replace("small", "other")
        == (unknown.json()["error_description"])
    )
    assert exchanged(token(ci)).status_code == 200


def test_one_address_asks_so_often_at_both_doors_together(world: World) -> None:
    cache.clear()
    path = "/api/v1/projects/lab/small/publishing-token"
    for _ in range(30):
        Client().post(path, {"identity_token": "x"}, content_type="application/json")
    answers = [exchanged("x") for _ in range(31)]
    assert [answer.status_code for answer in answers] == [400] * 30 + [429]
    assert answers[-1].json()["error"] == "temporarily_unavailable"
    assert int(answers[-1]["Retry-After"]) > 0
