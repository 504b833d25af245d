# SPDX-License-Identifier: Apache-2.0
"""Commits: the branch's next revision, signed and logged like any other, or a clear refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.signing.errors import SignerError
from assay.signing.manifest import FileEntry
from registry.audit.models import AuditRow
from registry.catalog import queries, services
from registry.catalog.errors import (
    BlobMissing,
    CommitRefused,
    ContentRefused,
    MayNotPublish,
    RevisionUnknown,
    StaleParent,
)
from registry.catalog.models import Checkpoint, Revision, State
from registry.catalog.queries import revisions
from registry.catalog.services import Change, Commit, Put, Remove
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.storage import services as storage
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import World, by_node, by_person, publish
from tests.running import Authority


def put(name: str, content: bytes, holder: str = "user:alice") -> Put:
    blob = storage.store(content, holder=holder)
    return Put(file=FileEntry(name=name, sha256=blob.sha256, size=len(content)))


def wanted(
    world: World, *changes: Change, parent: str | None = None, branch: str = "main"
) -> Commit:
    return Commit(
        user=world.people.alice,
        project=world.project,
        branch=branch,
        parent=parent,
        title="Say more",
        message="Much more.",
        changes=changes,
    )


def names(revision: Revision) -> list[str]:
    return [file.name for file in queries.manifest(revision.checkpoint).files]


def test_a_first_commit_makes_main(world: World) -> None:
    made = services.commit(wanted(world, put("README.md", b"# Hello\n"), parent="0" * 40))
    found = revisions.find(world.project, "main")
    assert (found.revision, found.oid) == (made, made.checkpoint.manifest_sha256[:40])
    assert made.checkpoint.name == found.oid
    assert made.checkpoint.state == State.PUBLISHED
    assert (made.title, made.message, made.author) == ("Say more", "Much more.", world.people.alice)


def test_a_commit_changes_what_it_names_and_keeps_the_rest(world: World) -> None:
    publish(by_person(world))
    made = services.commit(
        wanted(world, put("sub/notes.txt", b"notes"), Remove(name="config.json"))
    )
    assert names(made) == ["README.md", "model.safetensors", "sub/notes.txt"]
    gone = services.commit(wanted(world, Remove(name="sub", is_folder=True)))
    assert names(gone) == ["README.md", "model.safetensors"]
    assert (gone.parent, made.checkpoint.name) == (made, made.checkpoint.oid)


def test_a_stale_parent_is_refused_and_changes_nothing(world: World) -> None:
    old = publish(by_person(world))
    publish(by_node(world))
    before = Checkpoint.objects.count()
    with pytest.raises(StaleParent, match=f"expected main at {old.oid}, found it at"):
        services.commit(wanted(world, put("a.txt", b"a"), parent=old.oid))
    assert Checkpoint.objects.count() == before


def test_a_run_that_comes_first_makes_a_commit_stale_and_loses_nothing(
    world: World, authority: Authority
) -> None:
    base, change = publish(by_person(world)), put("a.txt", b"a")
    authority.stop()
    with pytest.raises(SignerError):
        services.commit(wanted(world, change, parent=base.oid))
    authority.start()
    run = publish(by_node(world))
    with pytest.raises(StaleParent):
        services.commit(wanted(world, change, parent=base.oid))
    assert revisions.find(world.project, "main").checkpoint == run
    kept = Revision.objects.get(title="Say more").checkpoint
    assert revisions.find(world.project, kept.oid).checkpoint == kept


def test_a_commit_without_a_parent_goes_on_top_of_what_is_there(world: World) -> None:
    publish(by_person(world))
    run = publish(by_node(world))
    made = services.commit(wanted(world, put("a.txt", b"a")))
    assert made.parent is not None
    assert made.parent.checkpoint == run


def test_the_same_commit_again_is_the_same_revision(world: World) -> None:
    base = publish(by_person(world))
    change = put("a.txt", b"a")
    made = services.commit(wanted(world, change, parent=base.oid))
    assert services.commit(wanted(world, change, parent=base.oid)) == made
    assert services.commit(wanted(world, change)) == made
    with pytest.raises(StaleParent):
        services.commit(wanted(world, put("b.txt", b"b"), parent=base.oid))


def test_a_revert_names_the_checkpoint_that_is_there(world: World) -> None:
    first = publish(by_person(world))
    services.commit(wanted(world, put("a.txt", b"a")))
    back = services.commit(wanted(world, Remove(name="a.txt")))
    assert back.checkpoint == first
    assert revisions.find(world.project, "main").revision == back
    assert AuditRow.objects.get(action="revision.commit").subject == first.full_name


def test_changes_that_do_not_fit_are_refused(world: World) -> None:
    publish(by_person(world))
    everything = [Remove(name=n) for n in ("README.md", "config.json", "model.safetensors")]
    for changes, said in (
        ([Remove(name="none.txt")], "expected a file 'none.txt', found none"),
        ([Remove(name="none", is_folder=True)], "expected files in a folder 'none'"),
        (everything, "expected at least one file to be left"),
        ([put("../a", b"a")], "files"),
        ([put("model.sig", b"a")], "files"),
    ):
        with pytest.raises(CommitRefused, match=said):
            services.commit(wanted(world, *changes))


def test_a_file_of_another_kind_than_it_says_is_refused(world: World) -> None:
    with pytest.raises(ContentRefused, match=r"model\.safetensors"):
        services.commit(wanted(world, put("model.safetensors", b"not weights")))
    assert not Revision.objects.exists()


def test_a_digest_alone_is_not_the_file(world: World) -> None:
    """What somebody else sent, and nobody published, is not this caller's to commit."""
    with pytest.raises(BlobMissing, match="that you have not sent"):
        services.commit(wanted(world, put("a.txt", b"secret", holder="user:charlie")))


def test_strangers_and_those_without_acceptance_commit_nothing(world: World) -> None:
    theirs = put("a.txt", b"a", holder="user:charlie")
    with pytest.raises(MayNotPublish):
        services.commit(replace(wanted(world, theirs), user=world.people.charlie))
    conduct.withdraw(world.conduct, world.lab, world.people.alice)
    with pytest.raises(NotAccepted):
        services.commit(wanted(world, put("a.txt", b"a")))


def test_only_branches_are_committed_to(world: World) -> None:
    publish(by_person(world))
    main = revisions.find(world.project, "main")
    alice = world.people.alice
    services.add_ref(world.project, revisions.Kind.TAG, "v1", main, by=alice, actor=alice.actor)
    with pytest.raises(CommitRefused, match="found the tag 'v1'"):
        services.commit(wanted(world, put("a.txt", b"a"), branch="v1"))
    with pytest.raises(RevisionUnknown, match="expected a branch of lab/small"):
        services.commit(wanted(world, put("a.txt", b"a"), branch="dev"))


def test_a_branch_goes_its_own_way(world: World) -> None:
    base = publish(by_person(world))
    main = revisions.find(world.project, "main")
    alice = world.people.alice
    services.add_ref(
        world.project, revisions.Kind.BRANCH, "dev/x", main, by=alice, actor="user:alice"
    )
    made = services.commit(wanted(world, put("a.txt", b"a"), branch="dev/x"))
    assert revisions.find(world.project, "dev/x").revision == made
    assert revisions.find(world.project, "main").checkpoint == base


def test_without_the_signer_a_commit_waits_and_the_same_again_finds_it(
    world: World, authority: Authority
) -> None:
    base = publish(by_person(world))
    change = put("model2.safetensors", weights())
    authority.stop()
    with pytest.raises(SignerError):
        services.commit(wanted(world, change, parent=base.oid))
    assert revisions.find(world.project, "main").checkpoint == base
    assert revisions.underway(world.project, "main") != []
    authority.start()
    made = services.commit(wanted(world, change, parent=base.oid))
    assert revisions.find(world.project, "main").revision == made
    assert Revision.objects.count() == 2


def test_a_rejected_commit_leaves_the_branch_as_it_was(world: World, authority: Authority) -> None:
    base = publish(by_person(world))
    authority.stop()
    with pytest.raises(SignerError):
        services.commit(wanted(world, put("a.txt", b"a")))
    authority.start()
    conduct.withdraw(world.conduct, world.lab, world.people.alice)
    services.sweep()
    assert Checkpoint.objects.exclude(pk=base.pk).get().state == State.REJECTED
    assert revisions.find(world.project, "main").checkpoint == base
    conduct.accept(world.conduct, world.lab, world.people.alice)
    made = services.commit(wanted(world, put("b.txt", b"b"), parent=base.oid))
    assert names(made) == ["README.md", "b.txt", "config.json", "model.safetensors"]
