# SPDX-License-Identifier: Apache-2.0
"""Projects: who makes one, which names they have, and the command."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from registry.audit.models import AuditRow
from registry.catalog import services
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
