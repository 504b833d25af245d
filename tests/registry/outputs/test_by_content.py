# SPDX-License-Identifier: Apache-2.0
"""Whoever has a content finds by its digest what was signed of it, as far as they may see that."""

from __future__ import annotations

import pytest

from assay.signing.digests import as_id, normalised_text, sha256
from registry.accounts.models import User
from registry.catalog.models import Checkpoint, Visibility
from registry.catalog.services import governing
from registry.outputs import queries, services
from registry.outputs.models import Output, State
from tests.registry.outputs import world
from tests.registry.outputs.world import TEXT
from tests.registry.people import client_of
from tests.registry.pool.world import Lab

EXACT = sha256(TEXT.encode())
NORMALISED = sha256(normalised_text(TEXT).encode())


def url(digest: str) -> str:
    return f"/api/v1/outputs/by-content/{digest}"


@pytest.fixture
def sample(real_lab: Lab, operator: User) -> Output:
    """The registry's own sample of a public project's checkpoint."""
    world.trained(real_lab, 20)
    services.queue_samples()
    return world.generate(operator)


@pytest.fixture
def own(real_lab: Lab, real_checkpoint: Checkpoint, operator: User) -> Output:
    """What Bob asked for."""
    world.ask(real_lab, real_checkpoint)
    return world.generate(operator)


def test_a_sample_is_found_by_anybody(sample: Output) -> None:
    answer = client_of(None).get(url(EXACT)).json()
    (found,) = answer["outputs"]
    assert found["id"] == str(sample.pk)
    assert found["claim"] == "server-generated"
    assert (found["is_exact"], answer["has_more"]) == (True, False)
    (copied,) = client_of(None).get(url(NORMALISED)).json()["outputs"]
    assert (copied["id"], copied["is_exact"]) == (str(sample.pk), False)
    assert client_of(None).get(url(as_id(EXACT))).json() == answer


def test_what_is_somebodys_own_is_found_by_them_alone(real_lab: Lab, own: Output) -> None:
    people = real_lab.people
    assert [
        client_of(person, "outputs").get(url(EXACT)).status_code
        for person in (people.bob, people.charlie)
    ] == [200, 404]
    assert client_of(None).get(url(EXACT)).status_code == 404
    assert client_of(people.bob, "publish").get(url(EXACT)).status_code == 404


def test_a_private_projects_sample_is_found_by_its_members(real_lab: Lab, sample: Output) -> None:
    people = real_lab.people
    governing.show(real_lab.project, Visibility.PRIVATE, by=people.alice)
    found = [
        client_of(person, "read").get(url(EXACT)).status_code
        for person in (people.alice, people.charlie)
    ]
    assert found == [200, 404]


def test_that_nothing_is_found_proves_nothing_and_says_so(real_lab: Lab) -> None:
    refused = client_of(None).get(url("0" * 64))
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    assert "that proves nothing about it" in refused.json()["detail"]


@pytest.mark.parametrize("given", ["0" * 63, "0" * 128, "sha512:" + "0" * 64, EXACT.upper()])
def test_what_is_no_digest_of_ours_is_refused(db: None, given: str) -> None:
    refused = client_of(None).get(url(given)).json()
    assert (refused["status"], refused["code"]) == (422, "invalid-document")
    assert "expected 64 lower-case hexadecimal digits" in refused["detail"]


def test_what_is_not_signed_yet_is_not_found(sample: Output) -> None:
    Output.objects.update(state=State.GENERATED, ended_at=None)
    assert client_of(None).get(url(EXACT)).status_code == 404


def test_the_newest_are_listed_and_that_there_are_more(
    real_lab: Lab, real_checkpoint: Checkpoint, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MAX_LISTED", 2)
    made = []
    for _ in range(3):
        world.ask(real_lab, real_checkpoint)
        made.append(str(world.generate(operator).pk))
    answer = client_of(real_lab.people.bob, "outputs").get(url(EXACT)).json()
    assert [each["id"] for each in answer["outputs"]] == made[:0:-1]
    assert answer["has_more"] is True
