# SPDX-License-Identifier: Apache-2.0
"""What is refused when a checkpoint is handed in, each with its reason, and nothing changed."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from assay.signing import envelope
from assay.signing.keys import SoftwareKey
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import DatasetClaim, RunClaim
from registry.api.problems import Problem
from registry.audit.models import AuditRow
from registry.catalog import services
from registry.catalog.content.submission import Submission
from registry.catalog.errors import (
    AlreadyPublished,
    BlobMissing,
    ContentRefused,
    InvalidName,
    MayNotPublish,
    NameTaken,
    RunStatementRefused,
)
from registry.catalog.models import Checkpoint, File
from registry.catalog.services import receiving as module
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.storage import services as storage
from tests.registry.catalog.weights import file, tensor
from tests.registry.catalog.world import (
    FILES,
    World,
    by_node,
    by_person,
    changed,
    claim,
    join,
    project,
    upload,
)

QUERIES = 7  # three for the rights, one for what is taken, two for the files, one for takedowns


@pytest.fixture(autouse=True)
def _nothing_is_changed(world: World) -> Iterator[None]:
    yield
    actions = set(AuditRow.objects.values_list("action", flat=True))
    kept = Checkpoint.objects.count()
    assert ("checkpoint.receive" in actions) == (kept > 0)
    assert (File.objects.count() > 0) == (kept > 0)


def refused(submission: Submission, kind: type[Problem], found: str) -> Problem:
    before = Checkpoint.objects.count()
    with pytest.raises(kind) as refusal:
        services.receive(submission)
    assert found in str(refusal.value.detail) + str(refusal.value.errors)
    assert Checkpoint.objects.count() == before
    return refusal.value


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "A", "-a", "a-", "a b", "a\x00b", "a\\b", "é", "a--b", "x" * 101]
)
def test_a_name_that_cannot_stand_in_a_url(world: World, name: str) -> None:
    refused(by_person(world, name), InvalidName, "a-z, 0-9")


def test_files_that_no_model_signature_covers(world: World) -> None:
    hidden = by_person(world, files={".github/x.json": b"{}"})
    refused(hidden, ContentRefused, "manifest.files: expected a file that model signatures cover")


def test_more_files_than_readers_of_evidence_take(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in = by_person(world)
    monkeypatch.setattr(module, "MAX_EVIDENCE_BYTES", 100)
    refused(handed_in, ContentRefused, "of at most 100 bytes, found")


def test_a_stranger(world: World) -> None:
    stranger = by_person(world, user=world.people.charlie)
    refused(stranger, MayNotPublish, "acts for 'lab'")


def test_a_member_may(world: World) -> None:
    services.receive(by_person(world, user=world.people.bob))


def test_an_owner_whose_acceptance_was_withdrawn(world: World) -> None:
    conduct.withdraw(world.conduct, world.lab, world.people.alice)
    refused(by_person(world), NotAccepted, "expected lab to have accepted Code of conduct")


def test_files_that_are_a_checkpoint_already(world: World) -> None:
    first = services.receive(by_person(world))
    again = by_person(world, "second")
    problem = refused(again, AlreadyPublished, "lab/small@first")
    assert problem.status_code == 409
    assert first.manifest_sha256 in str(problem.detail)


def test_files_that_are_a_checkpoint_of_the_project(world: World) -> None:
    services.receive(by_person(world))
    refused(by_person(world, name="other"), AlreadyPublished, "lab/small@first")


def test_files_that_are_another_projects_too_are_received(world: World) -> None:
    """That of a stranger as well, who learns nothing of the other by it."""
    services.receive(by_person(world))
    fork = project(world.lab, world.conduct, world.people.alice, "fork")
    services.receive(changed(by_person(world), project=fork))
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    own = project(charlie.namespace, world.conduct, charlie)
    services.receive(changed(by_person(world, user=charlie), project=own))


def test_a_name_that_is_taken(world: World) -> None:
    services.receive(by_person(world))
    other = by_person(world, files={**FILES, "notes.txt": b"other"})
    assert refused(other, NameTaken, "'first'").status_code == 409


def test_a_file_that_was_never_uploaded(world: World) -> None:
    ghost = FileEntry(name="config.json", sha256="ab" * 32, size=2)
    submission = changed(by_person(world), manifest=Manifest(files=(ghost,)))
    refused(submission, BlobMissing, "upload sha256:abab")


def test_a_file_that_somebody_else_uploaded(world: World) -> None:
    """Knowing a digest is not having the file."""
    secret = upload({"config.json": b'{"secret": 1}'}, "user:charlie")
    submission = changed(by_person(world), manifest=secret)
    refused(submission, BlobMissing, "config.json")


def test_what_somebody_else_uploaded_is_refused_as_what_nobody_did(world: World) -> None:
    content, said = b'{"secret": 1}', []
    for uploads in (False, True):
        if uploads:
            upload({"config.json": content}, "user:charlie")
        entry = FileEntry(
            name="config.json", sha256=hashlib.sha256(content).hexdigest(), size=len(content)
        )
        submission = changed(by_person(world), manifest=Manifest(files=(entry,)))
        refusal = refused(submission, BlobMissing, "config.json")
        said.append((str(refusal.detail), refusal.errors))
    assert said[0] == said[1]


def test_a_file_that_is_open_to_everybody_may_be_used(world: World) -> None:
    open_text = upload({"a.txt": b"Some text.\n"}, "system")  # it is in the data set
    services.receive(changed(by_person(world), manifest=open_text))


def test_a_file_of_another_size_than_uploaded(world: World) -> None:
    honest = by_person(world)
    files = tuple(replace(each, size=each.size + 1) for each in honest.manifest.files)
    manifest = Manifest(files=files)
    problem = refused(changed(honest, manifest=manifest), BlobMissing, "as uploaded")
    assert str(problem.detail).startswith("expected the sizes of what was uploaded, found another")
    ghost = FileEntry(name="ghost.txt", sha256="ab" * 32, size=2)
    every = tuple(sorted((*files, ghost), key=lambda each: each.name))
    both = changed(honest, manifest=Manifest(files=every))
    problem = refused(both, BlobMissing, "as uploaded")
    assert str(problem.detail).endswith("found 1 that you have not sent")


@pytest.mark.parametrize("count", [1, 300])
def test_many_files_ask_the_database_no_more_than_one(
    world: World, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    files = {f"{number}.txt": f"Text {number}.\n".encode() for number in range(count)}
    submission = by_person(world, files=files)
    with django_assert_num_queries(QUERIES):
        services.check(submission)


def test_more_than_any_checkpoint_holds(world: World) -> None:
    huge = FileEntry(name="model.safetensors", sha256="ab" * 32, size=2 << 40)
    submission = changed(by_person(world), manifest=Manifest(files=(huge,)))
    refused(submission, BlobMissing, "bytes in all")


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("model.safetensors", pickle.dumps({"a": 1}), "found a pickle"),
        ("notes.txt", pickle.dumps({"a": 1}), "found a pickle"),
        ("model.pt", b"\x80\x02any", "expected text, or a file ending in"),
        ("model.safetensors", file({}, length=26_000_000), "at most 25000000"),
        ("model.safetensors", file({"a": tensor(0, 4)}, b"ab"), "tensors that fill"),
        ("model.safetensors", file(b'{"a":1,"a":1}'), "each key once"),
        ("config.json", b'{"a":1,"a":2}', "each key once"),
        ("README.md", b"x" * 300_000, "at most 262144 bytes"),
        ("README.md", b"\xff", "UTF-8"),
    ],
)
def test_content_that_is_not_what_its_name_says(
    world: World, name: str, content: bytes, found: str
) -> None:
    submission = by_person(world, files={name: content})
    problem = refused(submission, ContentRefused, found)
    assert [error.field for error in problem.errors] == [name]


def test_another_one_that_came_first_at_the_same_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look says it is free; the constraint says that it was taken since."""
    submission = by_person(world)
    looks = iter([None])

    def look(each: Submission) -> None:
        if next(looks, "again") is None:
            keep(by_person(world))
            return
        real(each)

    real, keep = module._check_new, module._keep
    monkeypatch.setattr(module, "_check_new", look)
    before = Checkpoint.objects.count()
    with pytest.raises(AlreadyPublished):
        services.receive(submission)
    assert Checkpoint.objects.count() == before + 1


# --- the node's statement -------------------------------------------------------------------------


def test_an_honest_nodes_checkpoint_is_received(world: World) -> None:
    checkpoint = services.receive(by_node(world))
    assert checkpoint.actor == world.node.actor
    assert checkpoint.step == 10


def files_of(world: World) -> Manifest:
    return upload({**FILES, "step.txt": b"10\n"}, world.node.owner.actor)


def lies(world: World) -> dict[str, tuple[RunClaim, str]]:
    true = claim(world, files_of(world))
    other = replace(true.conduct, sha256="ab" * 32)
    return {
        "another manifest": (replace(true, manifest_sha256="ab" * 32), "subject"),
        "another run": (replace(true, run="another"), "run"),
        "another node": (replace(true, node="another"), "node"),
        "another step": (replace(true, step=11), "step"),
        "another recipe": (replace(true, recipe={"trainer": "mine"}), "recipe"),
        "another data set": (replace(true, dataset_sha256="ab" * 32), "dataset"),
        "another conduct": (replace(true, conduct=other), "conduct"),
        "an unknown parent": (replace(true, parent_sha256="ab" * 32), "parent"),
        "an end before the start": (
            replace(true, finished_at=true.started_at - timedelta(hours=1)),
            "finished_at",
        ),
    }


@pytest.mark.parametrize(
    "lie",
    [
        "another manifest",
        "another run",
        "another node",
        "another step",
        "another recipe",
        "another data set",
        "another conduct",
        "an unknown parent",
        "an end before the start",
    ],
)
def test_a_statement_that_does_not_fit(world: World, lie: str) -> None:
    said, field = lies(world)[lie]
    refused(by_node(world, said=said), RunStatementRefused, f"{field}: expected")


def test_a_statement_by_another_key(world: World) -> None:
    submission = by_node(world, key=SoftwareKey.generate())
    refused(submission, RunStatementRefused, "bad-signature")


def test_a_statement_of_another_node(world: World) -> None:
    other, key = join(world.people.charlie, "other")
    submission = by_node(world, key=key)
    assert submission.run is not None
    theirs = replace(submission.run, node=other)
    refused(changed(submission, run=theirs), RunStatementRefused, "node: expected")


def test_a_statement_with_another_nodes_certificates(world: World) -> None:
    other, key = join(world.people.charlie, "other")
    world.node.chain = other.chain
    try:
        submission = by_node(world, key=key)
        refused(submission, RunStatementRefused, "certificate's subject")
    finally:
        world.node.refresh_from_db()


def test_a_statement_of_another_kind(world: World) -> None:
    submission = by_node(world)
    assert submission.run is not None
    data = DatasetClaim(
        manifest_sha256=submission.manifest.id,
        name="a/b",
        title="x",
        source="x",
        license="x",
        files=1,
        bytes=1,
    )
    signed = envelope.sign(data.statement().canonical(), world.key)
    other = replace(submission.run, envelope=signed)
    refused(changed(submission, run=other), RunStatementRefused, "predicateType")


def test_a_node_without_certificates(world: World) -> None:
    world.node.chain = ""
    try:
        refused(by_node(world), RunStatementRefused, "two certificates")
    finally:
        world.node.refresh_from_db()


def test_a_certificate_that_has_expired(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = by_node(world)
    much_later = timezone.now() + timedelta(days=400)
    monkeypatch.setattr("django.utils.timezone.now", lambda: much_later)
    refused(submission, RunStatementRefused, "untrusted-chain")


def test_a_parent_that_is_later_than_its_child(world: World) -> None:
    parent = services.receive(by_node(world, step=20))
    said = replace(claim(world, files_of(world)), parent_sha256=parent.manifest_sha256)
    refused(by_node(world, said=said), RunStatementRefused, "parent: expected an earlier")


def test_a_parent_of_the_same_project_is_fine(world: World) -> None:
    parent = services.receive(by_node(world, step=5))
    said = replace(claim(world, files_of(world)), parent_sha256=parent.manifest_sha256)
    services.receive(by_node(world, said=said))


def test_blobs_survive_a_refusal(world: World) -> None:
    """The uploads stay: the publisher corrects the rest, and sends nothing twice."""
    submission = by_person(world, "-")
    refused(submission, InvalidName, "a-z")
    for each in submission.manifest.files:
        assert storage.holds("user:alice", each.sha256)
