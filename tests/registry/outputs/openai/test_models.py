# SPDX-License-Identifier: Apache-2.0
"""Which models OpenAI's clients find: public checkpoints that a text can be asked of."""

from __future__ import annotations

import pytest

from registry.catalog.models import Checkpoint, Gate, Project, Visibility
from registry.outputs import queries
from tests.registry.outputs import world
from tests.registry.people import client_of
from tests.registry.pool.world import Lab, paper_checkpoint

MODELS = "/v1/models"


def listed() -> list[str]:
    said = client_of(None).get(MODELS).json()
    assert said["object"] == "list"
    return [each["id"] for each in said["data"]]


def test_a_project_is_listed_by_its_name(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    (model,) = client_of(None).get(MODELS).json()["data"]
    assert real_checkpoint.published_at is not None
    assert model == {
        "id": "lab/tiny",
        "object": "model",
        "created": int(real_checkpoint.published_at.timestamp()),
        "owned_by": "lab",
        "checkpoint": f"sha256:{real_checkpoint.manifest_sha256}",
        "checkpoint_name": "by-hand",
    }
    assert client_of(None).get(f"{MODELS}/lab/tiny").json() == model


def test_what_no_text_can_be_asked_of_is_not_listed(real_lab: Lab) -> None:
    assert listed() == []
    world.published(real_lab, without="config.json")
    assert listed() == []
    answer = client_of(None).get(f"{MODELS}/lab/tiny")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "not-generatable")


@pytest.mark.parametrize(
    ("hidden", "status"),
    [({"visibility": Visibility.PRIVATE}, 404), ({"gate": Gate.ASKS}, 403)],
)
def test_what_is_not_everybodys_is_not_listed(
    real_lab: Lab, real_checkpoint: Checkpoint, hidden: dict[str, str], status: int
) -> None:
    assert listed() == ["lab/tiny"]
    Project.objects.update(**hidden)
    assert listed() == []
    assert client_of(None).get(f"{MODELS}/lab/tiny").status_code == status


def test_a_checkpoint_is_found_by_its_name_and_by_its_oid(
    real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    for revision in ("by-hand", "main", real_checkpoint.oid):
        name = f"lab/tiny@{revision}"
        found = client_of(None).get(f"{MODELS}/{name}").json()
        assert (found["id"], found["checkpoint_name"]) == (name, "by-hand")
    assert client_of(None).get(f"{MODELS}/lab%2Ftiny%40by-hand").status_code == 200


def test_a_project_without_a_checkpoint_is_no_model(lab: Lab) -> None:
    paper_checkpoint(lab, 20)  # of a run: no ref is at it
    assert client_of(None).get(f"{MODELS}/lab/tiny").json()["error"]["code"] == "not-found"
    assert queries.named("lab/tiny@step-000020", None).step == 20


@pytest.mark.parametrize("verb", ["get", "post", "delete"])
def test_what_else_their_clients_ask_for_is_not_here(db: None, verb: str) -> None:
    answer = getattr(client_of(None), verb)("/v1/responses")
    said = answer.json()
    assert (answer.status_code, said["code"], said["error"]["code"]) == (404, *["not-found"] * 2)
    assert "chat/completions" in said["error"]["message"]
    assert "found 'responses'" in said["error"]["message"]
