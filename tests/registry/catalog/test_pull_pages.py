# SPDX-License-Identifier: Apache-2.0
"""The pages of pull requests: seen by whoever sees the project, decided by whoever may."""

from __future__ import annotations

import pytest
from django.test import Client

from registry.accounts.queries import User
from registry.catalog import services
from registry.catalog.models import Checkpoint, Visibility
from registry.catalog.models.proposed import Pull, Status
from registry.catalog.queries import pulls, revisions
from registry.catalog.services import Remove, pulling
from tests.registry.catalog.test_commits import put
from tests.registry.catalog.test_pulls import CHARLIE, on_main, opened, proposal
from tests.registry.catalog.world import World

ALL = "/lab/small/discussions"
ONE = f"{ALL}/1"


@pytest.fixture
def pull(world: World, first: Checkpoint) -> Pull:
    return opened(world, put("README.md", b"# B\n", CHARLIE), Remove(name="config.json"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def posted(client: Client, **words: str) -> int:
    return client.post(ONE, words).status_code


def test_an_open_one_is_on_the_projects_page_and_in_its_list(client: Client, pull: Pull) -> None:
    for path in ("/lab/small", ALL):
        assert ONE in text_of(client, path)
    assert "Nothing waits" not in text_of(client, ALL)


def test_its_page_says_what_changes_and_who_signed_it(client: Client, pull: Pull) -> None:
    shown = text_of(client, ONE)
    for said in ("2 files change", "Proposed, and signed, by charlie alone", "removed", "changed"):
        assert said in shown
    assert "Merge and sign it" not in shown
    assert f'href="/login?next={ONE}"' in shown


def test_a_member_merges_by_a_click(world: World, pull: Pull) -> None:
    alice = signed_in(world.people.alice)
    assert "Merge and sign it" in text_of(alice, ONE)
    assert posted(alice, decision="merge", text="Thanks.") == 302
    shown = text_of(alice, ONE)
    assert "the revision that lab has signed" in shown
    assert "Merge and sign it" not in shown
    assert pulls.pull(world.project, 1).status == Status.MERGED
    assert "Decided" in text_of(alice, ALL)


def test_who_may_not_is_told_why_and_keeps_what_they_typed(world: World, pull: Pull) -> None:
    charlie = signed_in(world.people.charlie)
    answer = charlie.post(ONE, {"decision": "merge", "text": "Mine."})
    assert answer.status_code == 403
    assert b"expected somebody who acts for" in answer.content
    assert b"Mine." in answer.content
    assert posted(charlie, decision="comment", text="") == 422
    assert posted(charlie, decision="close") == 302
    assert posted(charlie, decision="open") == 302
    assert posted(Client(), decision="close") == 302  # to where one signs in
    assert pulls.pull(world.project, 1).status == Status.OPEN


def test_a_conflict_is_shown_and_cannot_be_merged(world: World, pull: Pull) -> None:
    on_main(world, put("README.md", b"# Other\n"))
    alice = signed_in(world.people.alice)
    shown = text_of(alice, ONE)
    assert "conflict" in shown
    assert "Merge and sign it" not in shown
    assert posted(alice, decision="merge") == 409


def test_what_is_said_is_shown_and_does_nothing(world: World, client: Client, pull: Pull) -> None:
    services.comment(pull, "<script>x</script> *Look*", by=world.people.charlie)
    services.rename(pull, "Better", by=world.people.charlie)
    shown = text_of(client, ONE)
    assert "<script>x" not in shown
    assert "<em>Look</em>" in shown
    assert "called it “Better”" in shown


def test_there_is_none_of_a_project_that_one_does_not_see(world: World, pull: Pull) -> None:
    services.show(world.project, Visibility.PRIVATE, by=world.people.alice)
    charlie = signed_in(world.people.charlie)
    for path in (ALL, ONE):
        text_of(charlie, path, 404)
    assert posted(charlie, decision="comment", text="Hello?") == 404
    text_of(signed_in(world.people.bob), ONE)
    text_of(signed_in(world.people.bob), f"{ALL}/2", 404)


def test_one_without_a_commit_says_so(world: World, first: Checkpoint) -> None:
    services.propose(world.project, by=world.people.charlie, title="Soon")
    alice = signed_in(world.people.alice)
    assert "It has no commit yet" in text_of(alice, ONE)
    assert "Nothing waits" in text_of(alice, ALL)


def test_what_came_after_the_page_was_shown_is_not_merged(world: World, pull: Pull) -> None:
    alice = signed_in(world.people.alice)
    head = revisions.proposed(pull).oid
    assert f'name="head" value="{head}"' in text_of(alice, ONE)
    pulling.commit_to(pull, proposal(world, put("evil.txt", b"x", CHARLIE)))
    assert posted(alice, decision="merge", head=head) == 409
    assert Pull.objects.get().status == Status.OPEN
    assert posted(alice, decision="merge", head=revisions.proposed(pull).oid) == 302
    assert Pull.objects.get().status == Status.MERGED
