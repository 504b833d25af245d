# SPDX-License-Identifier: Apache-2.0
"""Pull requests: proposed in their author's own name, merged by who may publish, or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.accounts import queries as accounts
from registry.audit.models import AuditRow
from registry.catalog import queries, services
from registry.catalog.errors import (
    AccessNeeded,
    BlobMissing,
    CommitRefused,
    MayNotPublish,
    MergeConflict,
    NotFound,
    PullDecided,
    PullRefused,
    PullUnknown,
    RevisionUnknown,
    StaleParent,
)
from registry.catalog.models import Checkpoint, Gate, Visibility
from registry.catalog.models.accesses import AccessState
from registry.catalog.models.found import Descent
from registry.catalog.models.proposed import Pull, Status
from registry.catalog.models.told import Happening
from registry.catalog.queries import pulls, revisions, searching
from registry.catalog.queries.pulls import Way
from registry.catalog.services import Change, Commit, Proposal, Remove, listings, pulling
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.storage import services as storage
from registry.storage.quotas import use_of
from tests.registry.catalog.test_commits import names, put
from tests.registry.catalog.test_descent import BASE
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import FILES, World, by_person, publish

CHARLIE = "user:charlie"


def proposal(world: World, *changes: Change, **values: str) -> Proposal:
    wanted = Proposal(by=world.people.charlie, title="Say it better", changes=changes)
    return replace(wanted, **values)  # type: ignore[arg-type]  # the caller names its fields


def opened(world: World, *changes: Change) -> Pull:
    wanted = changes or (put("README.md", b"# Better\n", CHARLIE),)
    return services.propose_changes(world.project, proposal(world, *wanted))[0]


def on_main(world: World, *changes: Change) -> None:
    alice, project = world.people.alice, world.project
    services.commit(Commit(user=alice, project=project, title="Meanwhile", changes=changes))


def test_it_is_signed_as_its_authors_and_the_project_has_nothing_of_it(
    world: World, first: Checkpoint
) -> None:
    pull = opened(world)
    found = revisions.find_any(world.project, "refs/pr/1").checkpoint
    assert found is not None
    assert found.statement is not None
    assert found.project.owner == world.people.charlie.namespace
    assert revisions.find_any(world.project, found.oid).checkpoint == found
    for name in ("refs/pr/1", found.oid):
        with pytest.raises(RevisionUnknown):
            revisions.find(world.project, name)
    assert list(queries.published_in(world.project)) == [first]
    assert revisions.find(world.project, "main").checkpoint == first
    assert [each.number for each in pulls.proposing(world.project)] == [1]
    assert pull.base == first


def test_its_line_is_in_no_list_and_no_search_of_anybodys(world: World, first: Checkpoint) -> None:
    line = opened(world).line
    for viewer in (None, world.people.charlie, world.people.alice):
        assert line not in queries.projects(viewer)
        assert not queries.visible(viewer).filter(project=line).exists()
        with pytest.raises(NotFound):
            queries.project("charlie", line.name, viewer)
    assert not line.listing.is_public
    found = searching.find(searching.Wanted.parse({}), cursor="", limit=30)
    assert list(found.projects) == [world.project]
    assert listings.stale(9) == []


def test_what_it_changes_is_said_by_file(world: World, first: Checkpoint) -> None:
    new = (put("a.txt", b"a", CHARLIE), put("README.md", b"# B\n", CHARLIE))
    pull = opened(world, *new, Remove(name="config.json"))
    found = [(each.name, each.way, each.after_bytes) for each in pulls.changed(pull)]
    assert found == [
        ("README.md", Way.CHANGED, 4),
        ("a.txt", Way.ADDED, 1),
        ("config.json", Way.REMOVED, None),
    ]


def test_its_author_pays_for_what_it_adds_and_for_nothing_else(
    world: World, first: Checkpoint
) -> None:
    before = use_of(CHARLIE).used_bytes
    opened(world, put("a.txt", b"twelve bytes", CHARLIE))
    assert use_of(CHARLIE).used_bytes == before + 12
    services.merge(pulls.pull(world.project, 1), by=world.people.alice)
    lab = use_of(accounts.holder(world.lab)).used_bytes
    assert lab == sum(len(content) for content in FILES.values()) + 12


def test_merging_makes_a_revision_of_the_projects_with_the_same_name(
    world: World, first: Checkpoint
) -> None:
    pull = opened(world)
    proposed = revisions.proposed(pull)
    made = services.merge(pull, by=world.people.bob, text="Thank you.")
    found = revisions.find(world.project, "main")
    assert (found.revision, found.oid) == (made, proposed.oid)
    assert found.checkpoint != proposed.checkpoint
    assert (made.title, made.author) == ("Merge pull request 1", world.people.bob)
    assert made.message == "Thank you."
    now = pulls.pull(world.project, 1)
    assert (now.status, now.merged) == (Status.MERGED, made)
    row = AuditRow.objects.get(action="pull.merge")
    assert (row.actor, row.subject) == ("user:bob", "lab/small#1")


def test_what_main_changed_elsewhere_meanwhile_stays(world: World, first: Checkpoint) -> None:
    pull = opened(world)
    on_main(world, put("notes.txt", b"notes"), Remove(name="config.json"))
    made = services.merge(pull, by=world.people.alice)
    assert names(made) == ["README.md", "model.safetensors", "notes.txt"]


def test_what_both_have_changed_is_a_conflict_and_nothing_changes(
    world: World, first: Checkpoint
) -> None:
    pull = opened(world)
    on_main(world, put("README.md", b"# Other\n"))
    before = revisions.find(world.project, "main").oid
    with pytest.raises(MergeConflict, match=r"that main has not changed .* 1 that it has: README"):
        services.merge(pull, by=world.people.alice)
    assert pulls.merging(pull).conflicts == ("README.md",)
    assert revisions.find(world.project, "main").oid == before
    assert pulls.pull(world.project, 1).status == Status.OPEN
    services.commit_to(pull, proposal(world, put("README.md", b"# Other\n")))
    assert pulls.merging(pull).conflicts == ()  # both have made it the same


def test_a_merge_that_was_cut_short_is_made_good_by_merging_again(
    world: World, first: Checkpoint
) -> None:
    pull = opened(world)
    on_main(world, *pulls.merging(pull).changes)  # as if the crash came at the commit point
    at = revisions.find(world.project, "main").revision
    assert services.merge(pull, by=world.people.alice) == at
    assert pulls.pull(world.project, 1).merged == at


def test_words_that_are_too_many_are_refused_before_anything_is_merged(
    world: World, first: Checkpoint
) -> None:
    pull, before = opened(world), revisions.find(world.project, "main").oid
    with pytest.raises(PullRefused, match="expected a text of at most 10000 characters"):
        services.merge(pull, by=world.people.alice, text="x" * 10_001)
    assert revisions.find(world.project, "main").oid == before
    assert pulls.pull(world.project, 1).merging == ""


def test_strangers_remarks_keep_nobody_from_merging_with_a_word(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = opened(world)
    monkeypatch.setattr(pulling, "MAX_REMARKS", 1)
    services.comment(pull, "One.", by=world.people.charlie)
    services.merge(pull, by=world.people.alice, text="Thank you.")
    now = pulls.pull(world.project, 1)
    said = [(each.kind, each.text) for each in now.remarks.order_by("pk")]
    assert said[1:] == [("comment", "Thank you."), ("status-change", "merged")]


def test_only_who_publishes_merges_and_only_its_author_adds_to_it(
    world: World, first: Checkpoint
) -> None:
    pull, people = opened(world), world.people
    with pytest.raises(MayNotPublish, match="expected somebody who acts for 'lab'"):
        services.merge(pull, by=people.charlie)
    with pytest.raises(MayNotPublish, match="expected whoever opened the pull request"):
        services.commit_to(pull, proposal(world, put("a", b"a"), by=people.alice))  # type: ignore[arg-type]  # a person
    with pytest.raises(MayNotPublish, match="or who decides of it"):
        services.rename(opened_by_alice(world), "Other", by=people.charlie)


def opened_by_alice(world: World) -> Pull:
    alice = world.people.alice
    conduct.accept(world.conduct, alice.namespace, alice)
    return services.propose(world.project, by=alice, title="Of Alice's")


def test_what_was_decided_takes_no_more(world: World, first: Checkpoint) -> None:
    pull, alice = opened(world), world.people.alice
    services.set_status(pull, Status.CLOSED, by=alice, text="No.")
    closed = pulls.pull(world.project, 1)
    with pytest.raises(PullDecided, match=r"found lab/small#1, which is closed"):
        services.merge(closed, by=alice)
    with pytest.raises(PullDecided, match=r"found lab/small#1, which is closed"):
        services.commit_to(closed, proposal(world, put("a.txt", b"a", CHARLIE)))
    services.set_status(closed, Status.OPEN, by=world.people.charlie)
    services.merge(pulls.pull(world.project, 1), by=alice)
    with pytest.raises(PullDecided, match="which is"):
        services.set_status(closed, Status.CLOSED, by=alice)
    said = [(each.kind, each.text) for each in pulls.remarks(closed)]
    assert said == [
        ("comment", "No."),
        ("status-change", "closed"),
        ("status-change", "open"),
        ("status-change", "merged"),
    ]


def test_a_refused_one_leaves_nothing(world: World, first: Checkpoint) -> None:
    others = put("a.txt", b"what alice sent")
    with pytest.raises(BlobMissing, match="found 1 that you have not sent"):
        opened(world, others)
    with pytest.raises(CommitRefused, match="expected a change of what is at"):
        opened(world, put("README.md", FILES["README.md"], CHARLIE))
    stale = proposal(world, put("b.txt", b"b", CHARLIE), parent="1" * 40)
    with pytest.raises(RevisionUnknown):
        services.propose_changes(world.project, stale)
    assert not Pull.objects.exists()


def test_who_accepted_nothing_proposes_nothing(world: World, first: Checkpoint) -> None:
    conduct.withdraw(world.conduct, world.people.charlie.namespace, world.people.charlie)
    with pytest.raises(NotAccepted, match=f"read and accept it at .*{world.conduct.path}"):
        opened(world)


def test_one_starts_at_the_parent_that_it_names(world: World, first: Checkpoint) -> None:
    on_main(world, put("notes.txt", b"notes"))
    wanted = proposal(world, put("a.txt", b"a", CHARLIE), parent=first.oid)
    pull, made = services.propose_changes(world.project, wanted)
    assert pull.base == first
    assert "notes.txt" not in names(made)
    with pytest.raises(StaleParent):
        services.commit_to(pull, replace(wanted, changes=(put("b.txt", b"b", CHARLIE),)))
    assert services.commit_to(pull, wanted) == made  # the same, sent again
    assert "notes.txt" in names(services.merge(pull, by=world.people.alice))


def test_an_empty_project_may_be_proposed_to(world: World) -> None:
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    pull = opened(world)
    assert pull.base is None
    services.merge(pull, by=world.people.alice)
    assert names(revisions.find(world.project, "main").revision) == ["README.md"]  # type: ignore[arg-type]  # there is one


def test_limits_say_what_they_are(
    world: World, first: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull, charlie = opened(world), world.people.charlie
    monkeypatch.setattr(pulling, "MAX_OPEN", 1)
    with pytest.raises(PullRefused, match="expected fewer than 1 open pull requests of charlie"):
        opened(world, put("b.txt", b"b", CHARLIE))
    monkeypatch.setattr(pulling, "MAX_REMARKS", 1)
    services.comment(pull, "One.", by=charlie)
    with pytest.raises(PullRefused, match="expected at most 1 remarks"):
        services.comment(pull, "Two.", by=charlie)
    for text in (" ", "x" * 10_001):
        with pytest.raises(PullRefused, match="expected a text of at most 10000 characters"):
            services.comment(pull, text, by=charlie)
    for title in ("", "x" * 201):
        with pytest.raises(PullRefused, match="expected a title of at most 200 characters"):
            services.rename(pull, title, by=charlie)
    with pytest.raises(PullUnknown, match="none of number 7"):
        pulls.pull(world.project, 7)


def test_one_without_a_commit_proposes_nothing(world: World, first: Checkpoint) -> None:
    draft = services.propose(world.project, by=world.people.charlie, title="Soon")
    assert revisions.find_any(world.project, draft.ref).checkpoint == first
    assert not pulls.proposing(world.project).exists()
    with pytest.raises(PullRefused, match="found one that proposes nothing"):
        services.merge(draft, by=world.people.alice)


def test_comments_are_changed_by_whoever_said_them_and_hidden_by_who_decides(
    world: World, first: Checkpoint
) -> None:
    pull, people = opened(world), world.people
    said = services.comment(pull, "Rude.", by=people.charlie)
    with pytest.raises(MayNotPublish, match="expected a comment of your own"):
        services.edit(said, "Kind.", by=people.alice)
    assert services.edit(said, "Less rude.", by=people.charlie).edited_at is not None
    hidden = services.hide(said, by=people.alice)
    assert (hidden.text, hidden.is_hidden) == ("", True)
    with pytest.raises(MayNotPublish, match="of your own"):
        services.edit(hidden, "Rude again.", by=people.charlie)


def test_those_of_a_private_project_are_for_its_members(world: World, first: Checkpoint) -> None:
    alice, bob, charlie = world.people.alice, world.people.bob, world.people.charlie
    conduct.accept(world.conduct, bob.namespace, bob)
    services.show(world.project, Visibility.PRIVATE, by=alice)
    change = put("secret.txt", b"secret", bob.actor)
    wanted = Proposal(by=bob, title="Secret", changes=(change,))
    services.propose_changes(world.project, wanted)
    sha256 = storage.store(b"secret", holder="user:bob").sha256
    assert queries.open_blobs([sha256], alice) == {sha256}
    assert queries.open_blobs([sha256], charlie) == queries.open_blobs([sha256]) == frozenset()


def test_nobody_is_told_of_its_line_and_nothing_descends_from_it(
    world: World,
) -> None:
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    first = publish(by_person(world, files={**FILES, "model.safetensors": weights(BASE)}))
    Happening.objects.all().delete()
    pull = opened(world)
    assert not Happening.objects.exists()
    merged = services.merge(pull, by=world.people.alice).checkpoint
    assert {each.project for each in Happening.objects.all()} == {world.project}
    assert not Descent.objects.filter(child=merged).exists()
    proposed = revisions.proposed(pull).checkpoint
    assert [each.parent for each in Descent.objects.filter(child=proposed)] == [first]


def test_to_a_gated_project_only_who_was_let_in_proposes(world: World, first: Checkpoint) -> None:
    alice, charlie = world.people.alice, world.people.charlie
    project = services.set_gate(world.project, Gate.ASKS, "Who are you?", by=alice)
    wanted = proposal(world, put("a.txt", b"secret", CHARLIE))
    with pytest.raises(AccessNeeded):
        services.propose_changes(project, wanted)
    services.ask(project, by=charlie, said="Me.")
    services.decide(project, charlie, AccessState.GRANTED, by=alice)
    services.propose_changes(project, wanted)
    sha256 = wanted.changes[0].file.sha256  # type: ignore[union-attr]  # a file was put
    assert queries.open_blobs([sha256], charlie) == queries.open_blobs([sha256], alice) == {sha256}
    assert queries.open_blobs([sha256]) == frozenset()
