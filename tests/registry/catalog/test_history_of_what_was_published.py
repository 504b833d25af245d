# SPDX-License-Identifier: Apache-2.0
"""A registry from before there were revisions gets each project's history; and the way back."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from registry.catalog import services
from registry.catalog.models import Ref, Revision
from registry.catalog.queries import revisions
from tests.registry.catalog.world import World, by_node, by_person, project, publish
from tests.thorough import thorough

pytestmark = thorough

BEFORE = "0002_erasing"


def newest() -> str:
    """All of it: the rows that are read have the columns of today."""
    ((_, name),) = MigrationExecutor(connection).loader.graph.leaf_nodes("catalog")
    return str(name)


def migrate(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    MigrationExecutor(connection).migrate([("catalog", name)])


def test_what_was_published_before_has_a_history(world: World) -> None:
    first, second = publish(by_node(world)), publish(by_person(world))
    services.receive(by_node(world, step=20))
    empty = project(world.lab, world.conduct, world.people.alice, "empty")
    was = [(each.checkpoint, each.author, each.title) for each in Revision.objects.order_by("pk")]
    migrate(BEFORE)
    assert "catalog_revision" not in connection.introspection.table_names()
    migrate(newest())
    listed = revisions.history(revisions.find(world.project, "main"), limit=9)
    assert [each.checkpoint for each in listed] == [second, first]
    assert [(each.checkpoint, each.author, each.title) for each in reversed(listed)] == was
    assert [each.created_at for each in listed] == [second.published_at, first.published_at]
    assert revisions.find(empty, "main").checkpoint is None
    assert Ref.objects.count() == 1
