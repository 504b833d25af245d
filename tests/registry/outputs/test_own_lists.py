# SPDX-License-Identifier: Apache-2.0
"""Whoever lost an id finds all that they had signed, and nobody else does."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest
from rest_framework.test import APIClient

from registry.accounts.models import User
from registry.catalog.models import Checkpoint
from registry.outputs.batches.lines import MEDIA_TYPE
from registry.outputs.models import Output
from tests.registry.outputs import world
from tests.registry.people import client_for, client_of
from tests.registry.pool.world import Lab

OUTPUTS, BATCHES = "/api/v1/outputs", "/api/v1/outputs/batches"


def listed(of: APIClient, path: str, **query: int) -> dict[str, Any]:
    answer = of.get(path, query)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def signed_by(person: User, of: Checkpoint) -> str:
    body = world.asserted_of(of) | {"digests": {"sha256": secrets.token_hex(32)}}
    answer = client_of(person, "outputs").post(f"{OUTPUTS}/sign", body)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


@pytest.fixture
def signed(real_lab: Lab, real_checkpoint: Checkpoint) -> list[str]:
    """Three digests that Bob had signed, the newest first, and one of Alice's."""
    made = [signed_by(real_lab.people.bob, real_checkpoint) for _ in range(3)]
    signed_by(real_lab.people.alice, real_checkpoint)
    return made[::-1]


@pytest.mark.parametrize("scope", ["outputs", "read"])
def test_ones_own_are_listed_page_by_page(real_lab: Lab, signed: list[str], scope: str) -> None:
    bob = client_of(real_lab.people.bob, scope)
    first = listed(bob, OUTPUTS, page_size=2)
    rest = bob.get(first["next"]).json()
    assert [each["id"] for each in first["results"] + rest["results"]] == signed
    assert rest["next"] is None
    one = first["results"][0]
    assert (one["state"], one["claim"], one["media_type"]) == (
        "signed",
        "caller-asserted",
        "text/plain",
    )
    assert "evidence" not in one
    assert bob.get(f"{OUTPUTS}/{one['id']}").status_code == 200


def test_pages_do_not_cut_a_turn(real_lab: Lab, signed: list[str]) -> None:
    """Those that were signed together were made in the same moment."""
    Output.objects.update(created_at=Output.objects.get(pk=signed[0]).created_at)
    bob, found = client_of(real_lab.people.bob, "outputs"), []
    page = listed(bob, OUTPUTS, page_size=1)
    while True:
        found += [each["id"] for each in page["results"]]
        if page["next"] is None:
            break
        page = bob.get(page["next"]).json()
    assert sorted(found) == sorted(signed)


def test_batches_are_listed_too(real_lab: Lab, real_checkpoint: Checkpoint) -> None:
    bob, alice = real_lab.people.bob, real_lab.people.alice
    head = {"checkpoint": f"sha256:{real_checkpoint.manifest_sha256}", "media_type": "text/plain"}
    lines = "".join(f"{json.dumps(each)}\n" for each in (head, {"sha256": secrets.token_hex(32)}))
    answer = client_of(bob, "outputs").generic(
        "POST", f"{OUTPUTS}/batch", lines, content_type=MEDIA_TYPE
    )
    made = json.loads(next(iter(answer)).split(b"\n")[0])
    (found,) = listed(client_of(bob, "read"), BATCHES)["results"]
    assert (found["id"], found["state"], found["count"]) == (made["batch"], "signed", 1)
    assert client_of(bob, "read").get(f"{BATCHES}/{found['id']}").status_code == 200
    assert listed(client_of(alice, "outputs"), BATCHES)["results"] == []


@pytest.mark.parametrize("path", [OUTPUTS, BATCHES])
def test_nobody_is_told_of_others(real_lab: Lab, signed: list[str], path: str) -> None:
    assert client_of(None).get(path).status_code == 401
    assert client_of(real_lab.people.bob, "publish").get(path).status_code == 401
    assert listed(client_of(real_lab.people.charlie, "outputs"), path)["results"] == []


def test_a_token_for_some_projects_lists_theirs(real_lab: Lab, signed: list[str]) -> None:
    bob = real_lab.people.bob
    for project, count in ((real_lab.project.full_name, len(signed)), ("lab/other", 0)):
        limited = client_for(bob, project)
        assert len(listed(limited, OUTPUTS)["results"]) == count
        assert listed(limited, BATCHES)["results"] == []


def test_a_cursor_of_ones_own_making_is_refused(real_lab: Lab) -> None:
    bob = client_of(real_lab.people.bob, "outputs")
    assert bob.get(OUTPUTS, {"cursor": "made-up"}).status_code == 400
