# SPDX-License-Identifier: Apache-2.0
"""Who may not download a gated project's files has no outputs of them made or signed, either."""

from __future__ import annotations

import pytest

from registry.catalog import queries as checkpoints
from registry.catalog import services as catalog
from registry.catalog.errors import AccessNeeded
from registry.catalog.models import Checkpoint, Gate
from registry.conduct import services as conduct
from registry.outputs import queries
from registry.outputs.models import Output
from tests.registry.outputs import world
from tests.registry.people import client_of
from tests.registry.pool.world import Lab

ASKED = {"generate": "/api/v1/outputs", "sign": "/api/v1/outputs/sign"}


@pytest.fixture
def gated(real_lab: Lab, real_checkpoint: Checkpoint) -> Checkpoint:
    """Its files are for whom Alice lets in; Charlie has accepted what it is under."""
    people = real_lab.people
    conduct.accept(real_checkpoint.conduct, people.charlie.namespace, people.charlie)
    catalog.set_gate(real_checkpoint.project, Gate.ASKS, "Who are you?", by=people.alice)
    return real_checkpoint


@pytest.mark.parametrize("way", ASKED)
def test_who_was_not_let_in_is_told_where_to_ask(
    real_lab: Lab, gated: Checkpoint, way: str
) -> None:
    body = world.asked_of(gated) if way == "generate" else world.asserted_of(gated)
    answer = client_of(real_lab.people.charlie, "outputs").post(ASKED[way], body)
    assert (answer.status_code, answer.json()["code"]) == (403, "access-needed")
    assert f"{gated.project.path}/settings/ask" in answer.json()["detail"]
    assert not Output.objects.exists()


def test_who_was_let_in_has_signed_what_they_made(real_lab: Lab, gated: Checkpoint) -> None:
    catalog.grant(gated.project, real_lab.people.charlie, by=real_lab.people.alice)
    client = client_of(real_lab.people.charlie, "outputs")
    assert client.post(ASKED["sign"], world.asserted_of(gated)).status_code == 201


def test_the_same_files_in_an_open_project_are_taken(real_lab: Lab, gated: Checkpoint) -> None:
    charlie, alice = real_lab.people.charlie, real_lab.people.alice
    with pytest.raises(AccessNeeded):
        queries.published_checkpoint(gated.manifest_sha256, charlie)
    new = catalog.NewProject(
        owner=gated.project.owner, name="open", title="", summary="", conduct=gated.conduct
    )
    submission = catalog.Submission(
        user=alice,
        project=catalog.create_project(new, alice),
        name="the-same",
        step=None,
        manifest=checkpoints.manifest(gated),
    )
    opened = catalog.advance(catalog.receive(submission).pk)
    assert queries.published_checkpoint(gated.manifest_sha256, charlie) == opened
