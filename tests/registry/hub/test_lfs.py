# SPDX-License-Identifier: Apache-2.0
"""Large files by git-lfs's protocol: what is skipped, what is granted, and what is malformed."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing

from assay.signing.digests import sha256
from registry.accounts import services as accounts
from registry.accounts import tokens
from registry.accounts.errors import TokenRevoked
from registry.accounts.models import Token
from registry.catalog.models import File
from registry.hub import grants
from registry.hub.grants import GrantRefused
from registry.storage import services as storage
from tests.registry.catalog.world import World, by_person, publish
from tests.registry.people import client_of, secret_of

BATCH = "/lab/small.git/info/lfs/objects/batch"
LFS = "application/vnd.git-lfs+json"
OID = "ab" * 32


def ask(world: World, *objects: object, operation: str = "upload") -> Any:  # noqa: ANN401 - a test client's response
    return client_of(world.people.alice, "publish").post(
        BATCH, {"operation": operation, "objects": list(objects), "transfers": ["basic", "xet"]}
    )


def test_what_is_not_here_gets_an_address_that_names_it(world: World) -> None:
    answer = ask(world, {"oid": OID, "size": 5})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, LFS)
    (found,) = answer.json()["objects"]
    assert answer.json()["transfer"] == "basic"
    upload = found["actions"]["upload"]
    assert upload["href"].startswith("http://testserver/api/lfs/objects/")
    grant = grants.take(upload["href"].rpartition("/")[2])
    assert (grant.sha256, grant.size_bytes, grant.token.user) == (OID, 5, world.people.alice)


def test_only_what_the_caller_sent_or_may_read_is_skipped(world: World) -> None:
    """What somebody else sent looks as if it were not here."""
    own = storage.store(b"own", holder="user:alice").sha256
    publish(by_person(world))
    published = File.objects.get(name="config.json")
    listed = (
        {"oid": own, "size": 3},
        {"oid": published.sha256, "size": published.size},
        {"oid": storage.store(b"secret", holder="user:charlie").sha256, "size": 6},
        {"oid": OID, "size": 6},
    )
    found = ask(world, *listed).json()["objects"]
    assert ["actions" in each for each in found] == [False, False, True, True]
    assert set(found[2]) == set(found[3])


def test_a_known_file_of_another_size_is_an_error_of_its_own(world: World) -> None:
    own = storage.store(b"own", holder="user:alice").sha256
    found = ask(world, {"oid": own, "size": 4}, {"oid": OID, "size": 1 << 50}).json()["objects"]
    assert [each["error"]["code"] for each in found] == [422, 413]


@pytest.mark.parametrize(
    "value",
    [
        {"oid": "AB" * 32, "size": 1},
        {"oid": "ab", "size": 1},
        {"oid": OID, "size": -1},
        {"oid": OID, "size": "1"},
        {"oid": OID, "size": True},
        {"oid": OID},
        "x",
    ],
)
def test_an_object_that_is_none_is_refused(world: World, value: object) -> None:
    assert ask(world, value).status_code == 400


def test_a_batch_that_is_none_is_refused(world: World) -> None:
    assert ask(world).status_code == 400
    assert ask(world, *[{"oid": OID, "size": 1}] * 1001).status_code == 400
    assert ask(world, {"oid": OID, "size": 1}, operation="remove").status_code == 400
    assert client_of(None).get(BATCH).status_code == 405
    unknown = BATCH.replace("small", "none")
    assert client_of(None).post(unknown, {}).headers["X-Error-Code"] == "RepoNotFound"


def test_who_may_not_write_is_granted_nothing(world: World) -> None:
    body = {"operation": "upload", "objects": [{"oid": OID, "size": 1}]}
    assert client_of(None).post(BATCH, body).status_code == 401
    assert client_of(world.people.charlie, "publish").post(BATCH, body).status_code == 403
    assert client_of(world.people.alice, "read").post(BATCH, body).status_code == 403


def test_git_sends_the_token_as_a_password(world: World) -> None:
    body = {"operation": "upload", "objects": [{"oid": OID, "size": 1}]}
    pair = b64encode(f"alice:{secret_of(world.people.alice, 'publish')}".encode()).decode()
    client = client_of(None)
    assert client.post(BATCH, body, HTTP_AUTHORIZATION=f"Basic {pair}").status_code == 200
    marked = b64encode(f"a:hf_{secret_of(world.people.alice, 'publish')}".encode()).decode()
    assert client.post(BATCH, body, HTTP_AUTHORIZATION=f"Basic {marked}").status_code == 200
    for wrong in (
        "!",
        b64encode(b"a:hf_nothing").decode(),
        b64encode(b"alice:nothing").decode(),
        b64encode(b"\xff").decode(),
    ):
        refused = client.post(BATCH, body, HTTP_AUTHORIZATION=f"Basic {wrong}")
        assert refused.status_code == 401


def test_what_was_published_is_downloaded_by_anybody(world: World) -> None:
    publish(by_person(world))
    file = File.objects.get(name="model.safetensors")
    secret = storage.store(b"secret", holder="user:alice").sha256
    objects = [{"oid": file.sha256, "size": file.size}, {"oid": secret, "size": 6}]
    answer = client_of(None).post(BATCH, {"operation": "download", "objects": objects})
    there, hidden = answer.json()["objects"]
    assert there["actions"]["download"]["href"].endswith(f"/api/v1/blobs/sha256:{file.sha256}")
    assert hidden["error"]["code"] == 404


def test_what_came_is_verified_and_what_did_not_is_not(world: World) -> None:
    own = storage.store(b"own", holder="user:alice").sha256
    theirs = storage.store(b"theirs", holder="user:charlie").sha256
    client = client_of(world.people.alice, "publish")
    for oid, size, status in ((own, 3, 200), (own, 4, 404), (theirs, 6, 404), (OID, 1, 404)):
        assert client.post("/api/lfs/verify", {"oid": oid, "size": size}).status_code == status
    assert client.post("/api/lfs/verify", {}).status_code == 400
    assert client_of(None).post("/api/lfs/verify", {"oid": own, "size": 3}).status_code == 401


def test_the_address_to_verify_at_authorises_for_its_object_alone(world: World) -> None:
    body = {"operation": "upload", "objects": [{"oid": sha256(b"a"), "size": 1}]}
    (wanted,) = client_of(world.people.alice, "publish").post(BATCH, body).json()["objects"]
    href, nobody = wanted["actions"]["verify"]["href"], client_of(None)
    assert nobody.post(href, {"oid": sha256(b"a"), "size": 1}).status_code == 404
    storage.store(b"a", holder="user:alice")
    assert nobody.post(href, {"oid": sha256(b"a"), "size": 1}).status_code == 200
    storage.store(b"b", holder="user:alice")
    for other, status in ((href, 403), (f"{href}x", 403)):
        refused = nobody.post(other, {"oid": sha256(b"b"), "size": 1})
        assert (refused.status_code, refused.json()["code"]) == (status, "grant-refused")
        assert refused.json()["message"].startswith("expected ")


def granted(world: World) -> tuple[Token, str]:
    token = tokens.authenticate(
        f"Bearer {secret_of(world.people.alice, 'publish')}", now=world.project.created_at
    )
    assert token is not None
    return token, grants.give(token, sha256=OID, size_bytes=5)


def test_a_grant_ends_with_its_hours_and_with_its_token(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, grant = granted(world)
    assert grants.take(grant).token == token
    with monkeypatch.context() as patch:
        patch.setattr(grants, "GOOD_FOR", timedelta(seconds=-1))
        with pytest.raises(GrantRefused, match="found an older one"):
            grants.take(grant)
    accounts.revoke_token(token, by="user:alice")
    with pytest.raises(TokenRevoked, match="expected a live token behind the address"):
        grants.take(grant)


def test_a_grant_that_was_not_given_here_is_none(world: World) -> None:
    token, grant = granted(world)
    other = signing.dumps([OID, 6, token.pk], salt="another")
    for forged in ("", "x", grant[:-1], grant[1:], other, grant.swapcase()):
        with pytest.raises(GrantRefused, match="expected an address that the registry gave"):
            grants.take(forged)


def test_a_part_of_a_large_file_is_granted_as_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, plain = granted(world)
    grant = grants.give_part(token, sha256=OID, size_bytes=5, number=1)
    taken = grants.take_part(grant)
    assert (taken.token, taken.sha256, taken.number) == (token, OID, 1)
    for other in (plain, f"{grant}x"):
        with pytest.raises(GrantRefused, match="that the registry gave"):
            grants.take_part(other)
    with monkeypatch.context() as patch:
        patch.setattr(grants, "GOOD_FOR", timedelta(seconds=-1))
        with pytest.raises(GrantRefused, match="found an older one"):
            grants.take_part(grant)
    token.delete()
    with pytest.raises(TokenRevoked):
        grants.take_part(grant)
