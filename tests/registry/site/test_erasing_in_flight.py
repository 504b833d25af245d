# SPDX-License-Identifier: Apache-2.0
"""A person leaves while what they sent is still being read: nothing brings the name back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from assay.signing.manifest import Manifest
from registry.accounts import services as accounts
from registry.accounts import staying
from registry.accounts.errors import TokenRevoked
from registry.accounts.models import Scope, User
from registry.catalog import queries
from registry.catalog import services as catalog
from registry.catalog.errors import BlobMissing, MayNotPublish
from registry.catalog.models import Project, State
from registry.catalog.services import Submission
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.site import erasing
from registry.storage.files import path_of
from tests.registry.catalog.world import (
    FILES,
    World,
    build,
    by_node,
    by_person,
    changed,
    project,
    publish,
    upload,
)
from tests.registry.people import invite, secret_of
from tests.registry.site.leaving import NAME, naming, zebulon
from tests.running import Authority

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Zebulon, of the lab, with a project of his own."""

    world: World
    person: User
    own: Project


@pytest.fixture
def leaving(authority: Authority, tmp_path: Path) -> Leaving:
    world = build(invite(), tmp_path / "texts")
    person = zebulon(world)
    conduct.accept(world.conduct, person.namespace, person)
    own = project(person.namespace, world.conduct, person, "own")
    return Leaving(world=world, person=person, own=own)


@pytest.mark.parametrize("where", ["own", "lab"])
def test_what_was_being_read_is_not_kept(leaving: Leaving, where: str) -> None:
    submission = by_person(leaving.world, user=leaving.person)
    if where == "own":
        submission = changed(submission, project=leaving.own)
    catalog.check(submission)
    erasing.erase(NAME)
    with pytest.raises(MayNotPublish, match="found one who left meanwhile"):
        catalog.keep(submission)
    assert naming(NAME) == {"accounts_namespace"}


def test_what_somebody_elses_node_made_for_them_is_not_kept(leaving: Leaving) -> None:
    submission = changed(by_node(leaving.world), project=leaving.own)
    catalog.check(submission)
    erasing.erase(NAME)
    with pytest.raises(NotAccepted, match="to have accepted"):
        catalog.keep(submission)
    assert naming(NAME) == {"accounts_namespace"}


def test_whoever_has_left_the_organisation_publishes_there_no_more(leaving: Leaving) -> None:
    submission = by_person(leaving.world, user=leaving.person)
    catalog.check(submission)
    alice = leaving.world.people.alice
    accounts.remove_member(leaving.world.people.lab, leaving.person, by=alice)
    with pytest.raises(MayNotPublish, match="expected somebody who acts for 'lab'"):
        catalog.keep(submission)


def reusing(leaving: Leaving) -> Submission:
    """Alice's next checkpoint: files of hers, and one that only Zebulon has sent and published."""
    files = {**FILES, "mine.txt": b"mine"}
    his = changed(by_person(leaving.world, files=files, user=leaving.person), project=leaving.own)
    publish(his)
    hers = by_person(leaving.world, files={**FILES, "hers.txt": b"hers"})
    shared = [file for file in his.manifest.files if file.name == "mine.txt"]
    return changed(hers, manifest=Manifest.of([*hers.manifest.files, *shared]))


def test_somebody_elses_checkpoint_is_not_kept_without_a_file_that_went(leaving: Leaving) -> None:
    submission = reusing(leaving)
    catalog.check(submission)
    erasing.erase(NAME)
    with pytest.raises(BlobMissing, match="expected every file to be uploaded"):
        catalog.keep(submission)


def test_a_file_that_somebody_elses_checkpoint_has_by_now_stays(
    leaving: Leaving, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    received = catalog.receive(reusing(leaving))
    with django_capture_on_commit_callbacks(execute=True):
        erasing.erase(NAME)
    published = catalog.advance(received.pk)
    assert published.state == State.PUBLISHED
    assert all(path_of(file.sha256).exists() for file in queries.files(published))


def test_an_upload_that_was_underway_is_nobodys(leaving: Leaving) -> None:
    bearer = f"Bearer {secret_of(leaving.person, Scope.PUBLISH)}"
    staying.hold_bearer(bearer)
    erasing.erase(NAME)
    with pytest.raises(TokenRevoked, match="revoked meanwhile"):
        staying.hold_bearer(bearer)


def test_what_came_after_all_is_cleaned_up_by_the_name_again(leaving: Leaving) -> None:
    first = erasing.erase(NAME)
    actor = f"user:{NAME}"
    late = upload(FILES, actor)
    catalog.receive(changed(by_person(leaving.world), manifest=late, holder=actor))
    tables = {"storage_holding", "storage_usage", "catalog_checkpoint", "audit_auditrow"}
    assert naming(NAME) == {"accounts_namespace", *tables}
    again = erasing.erase(NAME)
    assert naming(NAME) == {"accounts_namespace"}
    assert (again.pseudonym, again.statements, again.audit_rows) == ("", 0, 1)
    assert again.stub != first.stub
