# SPDX-License-Identifier: Apache-2.0
"""Whoever has a file learns by its digest who published it, where, and what was revoked since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from assay.signing import timestamps
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.revocation import Reason
from registry.authority import issuing, revocations
from registry.catalog import services
from registry.catalog.models import Checkpoint, State
from registry.catalog.queries import digests
from registry.ledger import queries as ledger
from tests.registry.catalog.world import FILES, World, build, by_person
from tests.registry.people import People
from tests.running import Authority

WEIGHTS = sha256(FILES["model.safetensors"])
NO_DIGESTS = (
    "0" * 63,
    WEIGHTS.upper(),
    "x" * 64,
    "sha256:" + "0" * 63,
    "sha256:" + WEIGHTS.upper(),
    "SHA256:" + WEIGHTS,
    "sha256:sha256:" + WEIGHTS,
    "sha512:" + WEIGHTS,
)


@pytest.fixture
def world(authority: Authority, people: People, tmp_path: Path) -> World:
    return build(people, tmp_path / "texts")


@pytest.fixture
def published(world: World) -> Checkpoint:
    return publish(world, "first")


def publish(world: World, name: str) -> Checkpoint:
    """A checkpoint of other notes and the same weights."""
    return put(world, name, {**FILES, "notes.txt": name.encode()})


def put(world: World, name: str, files: Mapping[str, bytes]) -> Checkpoint:
    checkpoint = services.receive(by_person(world, name, files))
    services.sweep()
    checkpoint.refresh_from_db()
    assert checkpoint.state == State.PUBLISHED
    return checkpoint


def test_a_file_is_found_in_the_checkpoint_that_has_it(
    published: Checkpoint, client: Client
) -> None:
    answer = client.get(f"/api/v1/by-hash/{WEIGHTS}").json()
    assert client.get(f"/api/v1/by-hash/sha256:{WEIGHTS}").json() == answer
    (place,) = answer["checkpoints"]
    assert place["files"] == ["model.safetensors"]
    assert place["checkpoint"]["id"] == f"sha256:{published.manifest_sha256}"
    assert place["checkpoint"]["conduct"]["id"]
    assert place["signer"] == {"uri": "http://localhost:8000/lab", "party": None}
    assert (place["revoked"], answer["datasets"], answer["has_more"]) == ([], [], False)


def test_the_newest_comes_first(world: World, published: Checkpoint, client: Client) -> None:
    second = publish(world, "second")
    found = digests.known(WEIGHTS).checkpoints
    assert [place.within for place in found] == [second, published]
    assert digests.known(sha256(b"second")).checkpoints[0].within == second


def test_an_id_is_found_as_a_digest(published: Checkpoint) -> None:
    (place,) = digests.known(published.manifest_sha256).checkpoints
    assert (place.within, place.names) == (published, ())


def test_a_file_of_a_data_set_is_found(world: World, client: Client) -> None:
    text = next(world.dataset.files.iterator())
    for digest, names in ((text.sha256, [text.name]), (world.dataset.sha256, [])):
        (place,) = client.get(f"/api/v1/by-hash/{digest}").json()["datasets"]
        assert (place["dataset"], place["files"]) == (str(world.dataset), names)
        assert place["signer"]["uri"] == "http://localhost:8000/lab"


def test_what_was_revoked_is_said(published: Checkpoint, client: Client) -> None:
    assert published.statement is not None
    serial = ledger.chain(published.statement).leaf.serial_number
    revocations.revoke(f"{serial:x}", Reason.KEY_COMPROMISE)
    (place,) = client.get(f"/api/v1/by-hash/{WEIGHTS}").json()["checkpoints"]
    (revoked,) = place["revoked"]
    assert (revoked["serial"], revoked["reason"]) == (f"{serial:x}", "key-compromise")
    page = client.get("/files", {"digest": WEIGHTS}).content.decode()
    assert "Something behind this was revoked" in page
    assert "key-compromise" in page


def test_a_timestamp_authority_that_was_revoked_is_said(
    published: Checkpoint, client: Client
) -> None:
    assert published.statement is not None
    chain = timestamps.chain(bytes(published.statement.timestamp))
    stamped = chain.leaf
    issuing.keep(chain, Purpose.TIMESTAMP)
    serial = f"{stamped.serial_number:x}"
    since = stamped.not_valid_before_utc + timedelta(seconds=1)
    revocations.revoke(serial, Reason.KEY_COMPROMISE, invalid_from=since)
    (place,) = client.get(f"/api/v1/by-hash/{WEIGHTS}").json()["checkpoints"]
    assert [each["serial"] for each in place["revoked"]] == [serial]
    page = client.get("/files", {"digest": WEIGHTS}).content.decode()
    assert "a certificate behind it (key-compromise)" in page
    assert f'in other hands since <time datetime="{since:%Y-%m-%dT%H:%M:%S}' in page


def test_what_is_not_published_is_not_found(world: World, client: Client) -> None:
    services.receive(by_person(world, "waiting"))
    assert client.get(f"/api/v1/by-hash/{WEIGHTS}").status_code == 404


def test_that_nothing_is_known_proves_nothing_and_says_so(db: None, client: Client) -> None:
    answer = client.get(f"/api/v1/by-hash/{'0' * 64}")
    assert answer.status_code == 404
    assert "that proves nothing about it" in answer.json()["detail"]


@pytest.mark.parametrize("given", NO_DIGESTS)
def test_what_is_no_digest_of_ours_is_refused(db: None, client: Client, given: str) -> None:
    refused = client.get(f"/api/v1/by-hash/{given}").json()
    assert (refused["status"], refused["code"]) == (422, "invalid-document")
    assert "expected 64 lower-case hexadecimal digits" in refused["detail"]


@pytest.mark.parametrize(
    ("given", "status"), [(WEIGHTS, 200), (f"sha256:{WEIGHTS}", 200), ("a digest & more", 400)]
)
def test_an_address_to_hand_on_leads_to_the_page(
    published: Checkpoint, client: Client, given: str, status: int
) -> None:
    answer = client.get(f"/files/{quote(given)}", follow=True)
    assert (answer.status_code, given in unescape(answer.content.decode())) == (status, True)


def test_no_more_than_a_hundred_are_listed(
    world: World, published: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(world, "second")
    monkeypatch.setattr(digests, "MAX_LISTED", 1)
    found = digests.known(WEIGHTS)
    assert (len(found.checkpoints), found.has_more) == (1, True)


@pytest.mark.parametrize("listed", [1, 2])
def test_no_number_of_names_hides_the_others(
    world: World, published: Checkpoint, monkeypatch: pytest.MonkeyPatch, listed: int
) -> None:
    weights = FILES["model.safetensors"]
    names = [f"copies/{number:03}.safetensors" for number in range(150)]
    second = put(world, "second", {**FILES, **dict.fromkeys(names, weights)})
    monkeypatch.setattr(digests, "MAX_LISTED", listed)
    found = digests.known(WEIGHTS)
    assert [each.within for each in found.checkpoints] == [second, published][:listed]
    assert found.has_more == (listed == 1)
    assert (found.checkpoints[0].names, found.checkpoints[0].has_more_names) == (
        tuple(names[: digests.MAX_NAMES]),
        True,
    )


def test_a_page_and_an_answer_say_that_there_are_more_names(world: World, client: Client) -> None:
    names = [f"copies/{number:03}.safetensors" for number in range(digests.MAX_NAMES)]
    put(world, "first", {**FILES, **dict.fromkeys(names, FILES["model.safetensors"])})
    (place,) = client.get(f"/api/v1/by-hash/{WEIGHTS}").json()["checkpoints"]
    assert (place["files"], place["has_more_files"]) == (names, True)
    page = client.get("/files", {"digest": WEIGHTS}).content.decode()
    assert "copies/009.safetensors, and under more names" in page


def test_it_takes_as_many_queries_for_two_as_for_one(
    world: World, published: Checkpoint, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(6):
        digests.known(WEIGHTS)
    publish(world, "second")
    with django_assert_num_queries(6):
        digests.known(WEIGHTS)


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ("", 200, "Its digest is enough"),
        (WEIGHTS, 200, "lab/small@first"),
        (f"SHA256(model.safetensors)= {WEIGHTS.upper()}", 200, "lab/small@first"),
        (f"sha256:{WEIGHTS}", 200, "model.safetensors"),
        ("hello", 400, "expected 64 hexadecimal digits"),
        ("0" * 64, 404, "That proves nothing about the file"),
    ],
)
def test_the_page_takes_what_people_paste(
    published: Checkpoint, client: Client, asked: str, status: int, says: str
) -> None:
    answer = client.get("/files", {"digest": asked} if asked else {})
    assert (answer.status_code, says in answer.content.decode()) == (status, True)
