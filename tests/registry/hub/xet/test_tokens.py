# SPDX-License-Identifier: Apache-2.0
"""Xet's tokens: for a quarter of an hour, one project and one caller, and looked at each time."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.core import signing

from registry.accounts import services as accounts
from registry.accounts.models import Role
from registry.conduct import services as conduct
from registry.hub.xet import tokens
from registry.hub.xet.granting import PREFIX
from tests.registry.catalog.world import World
from tests.registry.hub.xet.made import of, xorb
from tests.registry.hub.xet.sending import GRANTED, Sender, granted, told
from tests.registry.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)

SENT = xorb(b"some", b"bytes")
WRITE = GRANTED.format("write")


def test_a_token_is_given_in_the_body_and_in_headers(world: World) -> None:
    answer = client_of(world.people.alice, "publish").get(WRITE)
    body = answer.json()
    assert body["casUrl"] == answer.headers["X-Xet-Cas-Url"] == f"http://testserver{PREFIX}"
    assert body["accessToken"] == answer.headers["X-Xet-Access-Token"]
    assert str(body["exp"]) == answer.headers["X-Xet-Token-Expiration"]
    assert abs(body["exp"] - time.time() - 15 * 60) < 60
    assert answer.headers["Cache-Control"] == "no-store"
    given = tokens.take(f"Bearer {body['accessToken']}")
    assert (given.project, given.branch, given.may_write) == ("lab/small", "main", True)


def test_only_who_may_commit_gets_one_for_writing(world: World) -> None:
    assert client_of(None).get(WRITE).status_code == 401
    assert client_of(world.people.charlie, "publish").get(WRITE).status_code == 403
    assert client_of(world.people.alice, "read").get(WRITE).status_code == 403
    assert client_of(world.people.alice, "publish").get(f"{WRITE}/no").status_code == 404
    conduct.withdraw(world.conduct, world.lab, world.people.alice)
    gated = client_of(world.people.alice, "publish").get(WRITE)
    assert (gated.status_code, gated.headers["X-Error-Code"]) == (403, "GatedRepo")


def test_one_for_reading_is_anybodys_and_writes_nothing(world: World) -> None:
    answer = client_of(None).get(GRANTED.format("read"))
    nobody = Sender(token=answer.json()["accessToken"])
    for sender in (nobody, granted(world.people.alice, "read")):
        refused = told(sender.xorb(SENT))
        assert refused.startswith("403 xet-token-reads-only: expected a token of xet-write-token")
        assert told(sender.shard()).startswith("403 xet-token-reads-only")


def altered(token: str) -> dict[str, str]:
    return {
        "none": "",
        "cut": token[:-1],
        "begun elsewhere": token[1:],
        "of a grant": signing.dumps([1, "lab/small", "main", True], salt="another"),
        "garbage": "x.y.z",
    }


@pytest.mark.parametrize("how", altered(""))
def test_any_other_token_is_refused_before_a_byte_is_read(alice: Sender, how: str) -> None:
    other = Sender(token=altered(alice.token)[how])
    for method, path in (
        ("POST", f"/v1/xorbs/default/{SENT.name}"),
        ("POST", "/v1/shards"),
        ("POST", "/v2/shards"),
        ("GET", f"/v1/chunks/default/{SENT.name}"),
        ("POST", f"/v1/xorb-grants/default/{SENT.name}"),
    ):
        refused = told(other.ask(method, PREFIX + path, None))
        assert refused.startswith("401 xet-token-refused: expected a token")


def test_a_token_ends(alice: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "GOOD_FOR", timedelta(seconds=-1))
    refused = told(alice.xorb(SENT))
    assert refused.startswith("401 xet-token-refused: expected a token of the last")


def test_who_acts_for_the_project_no_more_writes_no_more(
    alice: Sender, bob: Sender, world: World
) -> None:
    bob.xorb(SENT)
    accounts.remove_member(world.people.lab, world.people.bob, by=world.people.alice)
    refused = told(bob.shard(of(b"somebytes", SENT.term(0, 2))))
    assert refused.startswith("403 ")
    assert "expected somebody who acts for 'lab'" in refused
    accounts.add_member(world.people.lab, world.people.bob, Role.MEMBER, by=world.people.alice)
    assert bob.shard(of(b"somebytes", SENT.term(0, 2))).status == 200


def test_chunks_are_not_shared_and_there_is_nowhere_else_to_send_to(alice: Sender) -> None:
    alice.xorb(SENT)
    for method, path in (("GET", "chunks"), ("POST", "xorb-grants")):
        refused = told(alice.ask(method, f"{PREFIX}/v1/{path}/default/{SENT.name}"))
        assert refused.startswith("404 not-found: expected chunks and addresses that are shared")


def test_what_clients_tell_of_themselves_is_swallowed() -> None:
    nobody = Sender(token="")
    assert nobody.ask("POST", "/v1/telemetry", b"{}").status == 204
    assert nobody.ask("POST", "/v1/telemetry", bytes(2 * 1024 * 1024)).status == 413
