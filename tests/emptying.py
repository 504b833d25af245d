# SPDX-License-Identifier: Apache-2.0
"""Empties the database after a test that committed: rows are deleted, in one transaction.

Django's flush truncates, which makes new files for each of some forty small tables, and then
creates content types and permissions anew: together fifteen times as long.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg.sql import SQL, Identifier

# What migrations leave behind; no test changes it.
KEPT = frozenset({"django_migrations", "django_content_type", "auth_permission"})


@pytest.fixture(scope="session", autouse=True)
def rows_are_deleted() -> Iterator[None]:
    """In the place of Django's flush."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: _empty())
        yield


def _empty() -> None:
    tables = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    with transaction.atomic(), connection.cursor() as cursor:
        # For tables that can only be appended to, and in any order of foreign keys.
        cursor.execute("SET LOCAL session_replication_role = replica")
        deletions = (SQL("DELETE FROM {}").format(Identifier(table)) for table in sorted(tables))
        cursor.execute(SQL("; ").join(deletions))
