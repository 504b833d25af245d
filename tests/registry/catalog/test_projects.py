# SPDX-License-Identifier: Apache-2.0
"""Projects: who makes one, which names they have, and the command."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.audit.models import AuditRow
from registry.catalog import queries, services
from registry.catalog.errors import InvalidName, MayNotPublish, NameTaken
from registry.catalog.models import Project
from registry.catalog.services import NewProject
from tests.registry.catalog.world import World, project


def new(world: World, name: str = "second") -> NewProject:
    return NewProject(
        owner=world.lab, name=name, title="Another", summary="", conduct=world.conduct
    )


def test_a_member_makes_a_project(world: World) -> None:
    made = services.create_project(new(world), world.people.bob)
    assert made.full_name == "lab/second"
    assert AuditRow.objects.get(action="project.create", subject="lab/second").actor == "user:bob"


def test_a_stranger_makes_none(world: World) -> None:
    with pytest.raises(MayNotPublish):
        services.create_project(new(world), world.people.charlie)


def test_a_name_is_given_once(world: World) -> None:
    with pytest.raises(NameTaken, match="'small'"):
        project(world.lab, world.conduct, world.people.alice)
    with pytest.raises(InvalidName):
        services.create_project(new(world, "Small"), world.people.alice)
    assert Project.objects.count() == 1


def test_the_command_makes_a_project(world: World) -> None:
    said = io.StringIO()
    words = ["project", "add", "lab/third", "--title", "Third"]
    call_command(*words, "--by", "alice", stdout=said)
    assert said.getvalue() == "lab/third\n"
    with pytest.raises(CommandError, match="an owner and a person"):
        call_command(*words, "--by", "nobody")
    with pytest.raises(CommandError, match="acts for 'lab'"):
        call_command("project", "add", "lab/x", "--title", "x", "--by", "charlie")
    with pytest.raises(CommandError, match="conduct version"):
        call_command(*words, "--by", "alice", "--conduct", "other@9.9")


def test_one_is_found_among_many_without_reading_them(world: World) -> None:
    """By an index, whoever asks: the name that it has and the one that it had are one condition."""
    known = world.project
    Project.objects.bulk_create(
        Project(owner=known.owner, conduct=known.conduct, name=f"other-{number}")
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        for table in ("catalog_project", "accounts_namespace", "accounts_user"):
            cursor.execute(f"ANALYZE {table}")
        for viewer in (None, world.people.alice):
            with CaptureQueriesContext(connection) as asked:
                assert queries.project("lab", "small", viewer) == known
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + asked[0]["sql"])
            ((found,),) = cursor.fetchall()
            assert rows_read(found[0]["Plan"]) < 100, found


def rows_read(plan: dict[str, Any]) -> int:
    """How many rows all steps of a plan read, those that they left out too."""
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return int(own * plan["Actual Loops"]) + sum(map(rows_read, plan.get("Plans", [])))
