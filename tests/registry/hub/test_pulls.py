# SPDX-License-Identifier: Apache-2.0
"""Pull requests over HTTP: who may do what, and what is said to who may not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.utils import timezone

from registry.accounts import services as accounts
from registry.accounts.tokens import Binding
from registry.catalog import services
from registry.catalog.models import Visibility
from registry.catalog.models.proposed import Pull
from registry.catalog.queries import pulls, revisions
from registry.conduct import services as conduct
from tests.registry.catalog.world import World, build, by_person, publish
from tests.registry.hub.test_committing import BIG, file, granted, header, large, lines
from tests.registry.people import invite, secret_of
from tests.running import Authority, Live

pytestmark = pytest.mark.django_db(transaction=True)

REPO = "/api/models/lab/small"
ALL = f"{REPO}/discussions"
LONG = "0" * 11 + "9" * 20  # zeros before a number make it no smaller
COMMIT = f"{REPO}/commit/main?create_pr=1"


@pytest.fixture
def world(live: Live, authority: Authority, tmp_path: Path) -> World:
    built = build(invite(), tmp_path / "texts")
    charlie = built.people.charlie
    conduct.accept(built.conduct, charlie.namespace, charlie)
    publish(by_person(built))
    return built


@pytest.fixture
def charlie(live: Live, world: World) -> Iterator[httpx.Client]:
    with live.client(secret_of(world.people.charlie, "publish")) as client:
        yield client


@pytest.fixture
def alice(live: Live, world: World) -> Iterator[httpx.Client]:
    with live.client(secret_of(world.people.alice, "publish")) as client:
        yield client


def proposed(client: httpx.Client) -> httpx.Response:
    return client.post(COMMIT, content=lines(header(), file("a.txt", b"a")))


def test_large_files_of_a_stranger_are_proposed(charlie: httpx.Client, live: Live) -> None:
    path = granted(charlie, BIG)
    with live.client() as nobody:
        assert nobody.put(path, content=BIG).status_code == 200
    made = charlie.post(COMMIT, content=lines(header(), large("big.txt", BIG))).json()
    assert made["pullRequestUrl"].endswith("/lab/small/discussions/1")
    for revision in ("refs%2Fpr%2F1", made["commitOid"]):
        answer = charlie.get(f"/lab/small/resolve/{revision}/big.txt")
        assert (answer.content, answer.headers["X-Repo-Commit"]) == (BIG, made["commitOid"])
        assert "nobody has merged it" in answer.headers["X-HF-Warning"]
    main = charlie.get("/lab/small/resolve/main/config.json")
    assert "X-HF-Warning" not in main.headers
    page = charlie.get(f"/lab/small/commit/{made['commitOid']}")
    assert page.headers["Location"] == "/lab/small/discussions/1"


def test_who_may_do_what_is_told(
    alice: httpx.Client, charlie: httpx.Client, live: Live, world: World
) -> None:
    oid = proposed(charlie).json()["commitOid"]
    others = live.client(secret_of(world.people.charlie, "read"))
    binding = Binding(project="lab/small", holder="publisher:1")
    until = timezone.now() + timedelta(hours=1)
    _, secret = accounts.issue_token(world.people.alice, "ci", ["publish"], until, binding=binding)
    with others as reader, live.client() as nobody, live.client(secret) as bound:
        for client, status in ((nobody, 401), (reader, 403), (bound, 403)):
            assert client.post(ALL, json={"title": "a", "pullRequest": True}).status_code == status
            assert client.post(f"{ALL}/1/comment", json={"comment": "a"}).status_code == status
            assert client.post(f"{ALL}/1/merge").status_code == status
            assert proposed(client).status_code == status
        assert nobody.get(f"{ALL}/1").json()["title"] == "Add"
    assert charlie.post(f"{ALL}/1/merge").json()["code"] == "may-not-publish"
    more = lines(header(), file("b.txt", b"b"))
    at = f"{REPO}/commit/refs%2Fpr%2F1"
    assert alice.post(at, content=more).status_code == 403
    assert charlie.post(f"{REPO}/commit/dev?create_pr=1", content=more).status_code == 400
    assert charlie.post(f"{REPO}/commit/refs%2Fpr%2F9", content=more).status_code == 404
    assert alice.post(f"{ALL}/1/merge").json()["mergeCommitId"] == oid
    again = alice.post(f"{ALL}/1/merge")
    assert (again.status_code, again.json()["code"]) == (409, "pull-decided")
    assert charlie.post(at, content=more).json()["code"] == "pull-decided"


def test_a_conflict_is_told_and_shown(alice: httpx.Client, charlie: httpx.Client) -> None:
    assert proposed(charlie).status_code == 200
    other = lines(header(), file("a.txt", b"other"))
    assert alice.post(f"{REPO}/commit/main", content=other).status_code == 200
    answer = alice.post(f"{ALL}/1/merge")
    assert (answer.status_code, answer.json()["code"]) == (409, "merge-conflict")
    assert "found 1 that it has: a.txt" in answer.headers["X-Error-Message"]
    found = alice.get(f"{ALL}/1?diff=1").json()
    assert found["filesWithConflicts"] == ["a.txt"]
    assert found["diff"] == "A\t-\t1\ta.txt\n"


def test_what_is_not_of_the_protocol_is_refused(charlie: httpx.Client) -> None:
    proposed(charlie)
    for path, body, status in (
        ("", {"title": "Only talk", "pullRequest": False}, 400),
        ("", {"title": " ", "pullRequest": True}, 422),
        ("/x/comment", {"comment": "a"}, 400),
        ("/9/comment", {"comment": "a"}, 404),
        ("/99999999999/comment", {"comment": "a"}, 400),
        ("/1/comment", {"comment": ""}, 422),
        ("/1/comment/zz/edit", {"content": "a"}, 404),
        ("/1/comment/0f/edit", {"content": "a"}, 404),
        ("/1/status", {"status": "merged"}, 400),
        ("/1/title", {}, 400),
        ("/1/other", {}, 400),
    ):
        assert charlie.post(ALL + path, json=body).status_code == status, path
    for query in ("?status=none", "?type=none", "?p=-1", "?p=1001", f"?p={LONG}", f"/{LONG}"):
        assert charlie.get(ALL + query).status_code == 400
    assert charlie.get(f"{ALL}/1/comment").status_code == 405
    assert charlie.get(f"{REPO}/tree/refs%2Fpr%2Fx").status_code == 404


def test_they_are_listed_by_status_and_author(charlie: httpx.Client, alice: httpx.Client) -> None:
    proposed(charlie)
    assert charlie.post(ALL, json={"title": "Soon", "pullRequest": True}).json()["num"] == 2
    alice.post(f"{ALL}/1/status", json={"status": "closed"})
    for query, numbers in (
        ("", [2, 1]),
        ("?status=open", [2]),
        ("?status=closed&type=pull_request", [1]),
        ("?author=alice", []),
        ("?type=discussion", []),
        ("?p=1", []),
    ):
        found = charlie.get(ALL + query).json()
        assert [each["num"] for each in found["discussions"]] == numbers
    assert charlie.get(ALL).json()["discussions"][0]["status"] == "draft"
    refs = charlie.get(f"{REPO}/refs?include_prs=1").json()
    assert [each["ref"] for each in refs["pullRequests"]] == ["refs/pr/1"]
    assert "pullRequests" not in charlie.get(f"{REPO}/refs").json()


def test_comments_are_edited_and_hidden(charlie: httpx.Client, alice: httpx.Client) -> None:
    proposed(charlie)
    made = charlie.post(f"{ALL}/1/comment", json={"comment": "<b>One</b>"}).json()["newMessage"]
    assert made["data"]["latest"]["html"] == "<p>&lt;b&gt;One&lt;/b&gt;</p>"
    at = f"{ALL}/1/comment/{made['id']}"
    assert alice.post(f"{at}/edit", json={"content": "Two"}).status_code == 403
    edited = charlie.post(f"{at}/edit", json={"content": "Two"}).json()["updatedComment"]["data"]
    assert (edited["edited"], edited["latest"]["raw"]) == (True, "Two")
    hidden = alice.post(f"{at}/hide").json()["updatedComment"]["data"]
    assert (hidden["hidden"], hidden["latest"]["raw"]) == (True, "")


def test_those_of_a_private_project_are_not_there_for_others(
    alice: httpx.Client, charlie: httpx.Client, world: World
) -> None:
    proposed(charlie)
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    for path in ("", "/1"):
        answer = charlie.get(ALL + path)
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, "RepoNotFound")
    assert charlie.post(f"{ALL}/1/comment", json={"comment": "a"}).status_code == 404
    assert charlie.get("/lab/small/resolve/refs%2Fpr%2F1/a.txt").status_code == 404


def test_xet_tokens_are_for_what_is_proposed(charlie: httpx.Client, world: World) -> None:
    assert charlie.get(f"{REPO}/xet-write-token/main").status_code == 403
    given = charlie.get(f"{REPO}/xet-write-token/main?create_pr=1")
    assert given.status_code == 200
    url = f"/api/xet/v1/xorbs/default/{'0' * 64}"
    to = {"Authorization": f"Bearer {given.json()['accessToken']}"}
    assert charlie.post(url, content=b"x", headers=to).json()["code"] == "invalid-xorb"
    conduct.withdraw(world.conduct, world.people.charlie.namespace, world.people.charlie)
    assert charlie.post(url, content=b"x", headers=to).headers["X-Error-Code"] == "GatedRepo"
    assert proposed(charlie).headers["X-Error-Code"] == "GatedRepo"
    assert not Pull.objects.exists()
    assert revisions.find(world.project, "main").revision is not None
    assert not pulls.proposing(world.project)
