# SPDX-License-Identifier: Apache-2.0
"""Zebulon, who will leave, and where in the database anything says his name."""

from __future__ import annotations

from django.db import connection
from psycopg import sql

from registry.accounts import services as accounts
from registry.accounts.models import Role, User
from tests.registry.catalog.world import World

NAME = "zebulon"  # as no other word here
ROWS = sql.SQL("SELECT string_agg(t::text, chr(10)) FROM {} t")


def zebulon(world: World) -> User:
    """A person, and a member of the lab."""
    person = accounts.create_user(NAME)
    accounts.add_member(world.people.lab, person, Role.MEMBER, by=world.people.alice)
    return person


def naming(text: str) -> set[str]:
    """The tables in which a text stands, in clear or in a column of bytes."""
    sought = (text.lower(), text.encode().hex())
    return {
        table
        for table, rows in everything().items()
        if any(each in rows.lower() for each in sought)
    }


def everything() -> dict[str, str]:
    """Each table as text, and what it holds as bytes in hexadecimal."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = {}
        for table in tables:
            cursor.execute(ROWS.format(sql.Identifier(table)))
            found[table] = cursor.fetchone()[0] or ""
    return found
