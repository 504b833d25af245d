# SPDX-License-Identifier: Apache-2.0
"""`main` is at what was taken down: its owner sends files anew, and nobody gets the old ones."""

from __future__ import annotations

import pytest

from registry.catalog.models import Checkpoint
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from tests.registry.catalog.world import World, by_person, publish
from tests.registry.people import client_of

pytestmark = pytest.mark.django_db
REPO = "/api/models/lab/small"
ASKED = {"files": [{"path": "model.safetensors", "size": 10, "sample": ""}]}


@pytest.fixture
def down(world: World) -> Checkpoint:
    published = publish(by_person(world))
    takedowns.take_down_checkpoint(published, Order(reason="It is forbidden.", by="system"))
    return published


def test_its_owner_may_send_files_to_it(world: World, down: Checkpoint) -> None:
    alice = client_of(world.people.alice, "publish")
    answer = alice.post(f"{REPO}/preupload/main", ASKED)
    assert answer.status_code == 200
    (file,) = answer.json()["files"]
    assert (file["uploadMode"], file["oid"]) == ("lfs", None)
    assert alice.get(f"{REPO}/xet-write-token/main").status_code == 200


def test_nobody_is_given_the_old_ones(world: World, down: Checkpoint) -> None:
    alice = client_of(world.people.alice, "publish", "read")
    for address in (f"{REPO}/tree/main", f"{REPO}/xet-read-token/main", REPO):
        answer = alice.get(address)
        assert (answer.status_code, answer["X-Error-Code"]) == (403, "GatedRepo")
        assert "It is forbidden." in answer["X-Error-Message"]


def test_nothing_is_sent_to_a_project_that_was_taken_down(world: World, down: Checkpoint) -> None:
    takedowns.take_down_project(world.project, Order(reason="All of it is.", by="system"))
    alice = client_of(world.people.alice, "publish")
    assert alice.post(f"{REPO}/preupload/main", ASKED).status_code == 403
    assert alice.get(f"{REPO}/xet-write-token/main").status_code == 403
