# SPDX-License-Identifier: Apache-2.0
"""A person leaves: what they said of revisions goes, their own history whole, others' stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.catalog import services as catalog
from registry.catalog.models import Ref, Revision
from registry.catalog.queries import revisions
from registry.catalog.services import Commit
from registry.conduct import services as conduct
from registry.site import erasing
from tests.registry.catalog.test_commits import put
from tests.registry.catalog.world import World, build, project
from tests.registry.people import invite
from tests.registry.site.leaving import NAME, naming, zebulon
from tests.running import Authority

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(authority: Authority, tmp_path: Path) -> World:
    return build(invite(), tmp_path / "texts")


def test_the_history_stays_and_says_nothing_of_who_left(world: World) -> None:
    person = zebulon(world)
    conduct.accept(world.conduct, person.namespace, person)
    own = project(person.namespace, world.conduct, person, "own")
    change = put("mine.txt", b"mine", holder=person.actor)
    for each in (own, world.project):
        catalog.commit(
            Commit(user=person, project=each, title=f"By {NAME}", message=NAME, changes=(change,))
        )
    assert "catalog_revision" in naming(NAME)
    erasing.erase(NAME)
    assert naming(NAME) == {"accounts_namespace"}
    assert not Ref.objects.filter(project=own).exists()
    (kept,) = revisions.history(revisions.find(world.project, "main"), limit=9)
    assert (kept.title, kept.message, kept.author) == ("", "", None)
    assert Revision.objects.get() == kept
