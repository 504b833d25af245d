# SPDX-License-Identifier: Apache-2.0
"""`/outputs/sign` of a running registry: both of its doors answer alike, and nothing is lost."""

from __future__ import annotations

import secrets
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from registry.accounts import services as accounts
from registry.accounts.tokens import Binding
from registry.catalog.models import Checkpoint
from registry.outputs.models import Output, State
from tests.registry.outputs import world
from tests.registry.people import People, secret_of
from tests.registry.pool.world import Lab, found
from tests.running import Authority, Live
from tests.until import until

URL = "/api/v1/outputs/sign"
TOGETHER = {"Accept": "*/*"}
DJANGO = {"Accept": "application/json, */*"}  # what is not the plain form goes on to Django
AT_ONCE = 50


@pytest.fixture
def own_lab(live: Live, authority: Authority, people: People) -> Lab:
    return found(people)


@pytest.fixture
def own_checkpoint(own_lab: Lab) -> Checkpoint:
    return world.published(own_lab)


def body_of(of: Checkpoint, **other: object) -> dict[str, Any]:
    return world.asserted_of(of) | {"digests": {"sha256": secrets.token_hex(32)}} | other


def test_both_doors_answer_alike(live: Live, own_lab: Lab, own_checkpoint: Checkpoint) -> None:
    body = body_of(own_checkpoint)
    with live.client(secret_of(own_lab.people.bob, "outputs")) as client:
        first = client.post(URL, json=body, headers=TOGETHER)
        other = client.post(URL, json=body, headers=DJANGO)
        assert first.status_code == other.status_code == 201
        assert first.headers["Content-Type"] == other.headers["Content-Type"]
        assert set(first.json()) == set(other.json())
        assert set(first.json()["evidence"]) == set(other.json()["evidence"])
        assert set(first.json()["evidence"]["bundles"]) == set(other.json()["evidence"]["bundles"])
        for answer in (first, other):
            said = answer.json()
            assert answer.headers["Location"].endswith(f"/api/v1/outputs/{said['id']}")
            again = client.get(f"/api/v1/outputs/{said['id']}").json()
            signed, found = (
                each["evidence"]["bundles"]["output"]["dsseEnvelope"] for each in (said, again)
            )
            assert signed == found


def refusals(
    lab: Lab, of: Checkpoint
) -> dict[str, tuple[dict[str, str], dict[str, Any], int, str]]:
    """What is refused: the headers, the keywords of the request, status and code."""
    bob, charlie = lab.people.bob, lab.people.charlie

    def by(secret: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    in_an_hour = timezone.now() + timedelta(hours=1)
    revoked, revoked_secret = accounts.issue_token(bob, "test", ["outputs"], in_an_hour)
    accounts.revoke_token(revoked, by="test")
    job = Binding(project="lab/small", holder="publisher:7")
    _, bound = accounts.issue_token(bob, "ci", ["outputs"], in_an_hour, binding=job)
    own, body = by(secret_of(bob, "outputs")), {"json": body_of(of)}
    short = {"json": body_of(of, digests={"sha256": "1" * 63})}
    long = {"json": body_of(of, digests={"sha256": "1" * 65})}
    unknown = {"json": body_of(of, checkpoint=f"sha256:{'0' * 64}")}
    broken = {"content": b'{"checkpoint": ', "headers": {"Content-Type": "application/json"}}
    large = {"json": body_of(of, media_type="a" * (1 << 20))}
    return {
        "no token": ({}, body, 401, "authentication-required"),
        "half a token": (by("assay_half"), body, 401, "token-malformed"),
        "a revoked token": (by(revoked_secret), body, 401, "token-revoked"),
        "another scope": (by(secret_of(bob, "read")), body, 403, "scope-missing"),
        "a project's token": (by(bound), body, 403, "not-allowed"),
        "a digest that is too short": (own, short, 422, "invalid-document"),
        "a digest that is too long": (own, long, 422, "invalid-document"),
        "no JSON": (own, broken, 400, "invalid-request"),
        "too large": (own, large, 413, "body-too-large"),
        "an unknown checkpoint": (own, unknown, 404, "not-found"),
        "conduct not accepted": (
            by(secret_of(charlie, "outputs")),
            body,
            403,
            "conduct-not-accepted",
        ),
        "a key that is none": (
            {**own, "Idempotency-Key": "k" * 256},
            body,
            400,
            "idempotency-key-invalid",
        ),
    }


def test_both_doors_refuse_alike_and_nothing_is_kept(
    live: Live, own_lab: Lab, own_checkpoint: Checkpoint
) -> None:
    with live.client() as client:
        for name, (headers, sent, status, code) in refusals(own_lab, own_checkpoint).items():
            heard: list[dict[str, Any]] = []
            for door in (TOGETHER, DJANGO):
                more = {**headers, **door, **sent.get("headers", {})}
                answer = client.post(URL, **{**sent, "headers": more})
                assert (name, answer.status_code) == (name, status)
                assert answer.headers["Content-Type"] == "application/problem+json"
                heard.append(answer.json())
            assert (name, heard[0]["code"]) == (name, code)
            assert heard[0] == heard[1]
    assert not Output.objects.exists()


def test_fifty_at_once_with_one_key_have_one_effect(
    live: Live, own_lab: Lab, own_checkpoint: Checkpoint
) -> None:
    token, body = secret_of(own_lab.people.bob, "outputs"), body_of(own_checkpoint)

    def sign(_number: int) -> httpx.Response:
        with live.client(token) as client:
            return client.post(URL, json=body, headers={"Idempotency-Key": "1"})

    with ThreadPoolExecutor(AT_ONCE) as threads:
        told = list(threads.map(sign, range(AT_ONCE)))
    assert {each.status_code for each in told} == {201}
    assert len({each.json()["id"] for each in told}) == 1
    assert sum("Idempotency-Replayed" not in each.headers for each in told) == 1
    assert Output.objects.get().state == State.SIGNED


def test_fifty_at_once_are_each_answered_what_is_theirs(
    live: Live, own_lab: Lab, own_checkpoint: Checkpoint
) -> None:
    """Among them some that are refused: theirs alone is the refusal."""
    good = secret_of(own_lab.people.bob, "outputs")
    stranger = secret_of(own_lab.people.charlie, "outputs")

    bodies = [body_of(own_checkpoint) for _ in range(AT_ONCE)]

    def sign(number: int) -> int:
        with live.client(stranger if number % 5 == 0 else good) as client:
            return client.post(URL, json=bodies[number]).status_code

    with ThreadPoolExecutor(AT_ONCE) as threads:
        told = list(threads.map(sign, range(AT_ONCE)))
    assert told == [403 if number % 5 == 0 else 201 for number in range(AT_ONCE)]
    kept = set(Output.objects.values_list("sha256", flat=True))
    assert kept == {body["digests"]["sha256"] for number, body in enumerate(bodies) if number % 5}


def raw(live: Live, token: str, body: bytes, *, key: str) -> socket.socket:
    """A connection on which a request was sent; what of its body is not, is announced."""
    url = httpx.URL(live.url)
    connection = socket.create_connection((url.host, url.port or 80))
    head = (
        f"POST {URL} HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: {key}\r\n"
        f"Content-Length: {max(len(body), 100)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return connection


def test_who_hangs_up_in_the_middle_has_asked_for_nothing(
    live: Live, own_lab: Lab, own_checkpoint: Checkpoint
) -> None:
    token = secret_of(own_lab.people.bob, "outputs")
    raw(live, token, b'{"checkpoint": ', key="1").close()
    with live.client(token) as client:  # and holds up nobody
        assert client.post(URL, json=body_of(own_checkpoint)).status_code == 201
    assert Output.objects.count() == 1


def test_who_hangs_up_before_the_answer_finds_it_by_their_key(
    live: Live, own_lab: Lab, own_checkpoint: Checkpoint
) -> None:
    token, body = secret_of(own_lab.people.bob, "outputs"), body_of(own_checkpoint)
    request = httpx.Request("POST", "http://any", json=body)
    connection = raw(live, token, request.read(), key="1")
    until(Output.objects.exists)  # it was taken, and nobody listens for what comes of it
    connection.close()
    until(lambda: Output.objects.filter(state=State.SIGNED).exists())
    with live.client(token) as client:
        again = client.post(URL, json=body, headers={"Idempotency-Key": "1"})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json()["id"] == str(Output.objects.get().pk)


def test_a_withdrawal_stops_all_that_come_after_it(
    live: Live, own_lab: Lab, own_checkpoint: Checkpoint
) -> None:
    token = secret_of(own_lab.people.bob, "outputs")

    def sign(_number: int) -> int:
        with live.client(token) as client:
            return client.post(URL, json=body_of(own_checkpoint)).status_code

    with ThreadPoolExecutor(AT_ONCE) as threads:
        underway = [threads.submit(sign, number) for number in range(AT_ONCE)]
        own_lab.withdraw(own_lab.people.bob)
        late = [threads.submit(sign, number) for number in range(5)]
        assert {each.result() for each in late} == {403}
        told = [each.result() for each in underway]
    assert set(told) <= {201, 403}
    assert Output.objects.filter(state=State.SIGNED).count() == told.count(201)
