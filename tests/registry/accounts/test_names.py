# SPDX-License-Identifier: Apache-2.0
"""Names: their shape, what is reserved, and that they are given once."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from registry.accounts import services
from registry.accounts.errors import InvalidName, NameTaken
from registry.accounts.models import Namespace
from tests.registry.people import People


@pytest.mark.parametrize("name", ["ab", "a1", "my-lab", "9lives", "a" * 39, "a-b-c-d"])
def test_a_plain_name_is_given(name: str, db: None) -> None:
    assert services.create_user(name).namespace.uri == f"http://localhost:8000/{name}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "a" * 40,
        "Alice",
        "a--b",
        "-ab",
        "ab-",
        "a_b",
        "a.b",
        "añb",
        "ab\n",
        "a/b",
        "ab\0",
        "..",
    ],
)
def test_any_other_name_is_refused_and_the_message_says_what_a_name_is(name: str, db: None) -> None:
    with pytest.raises(InvalidName, match="2 to 39 characters a-z, 0-9"):
        services.create_user(name)
    assert not Namespace.objects.exists()


@pytest.mark.parametrize(
    "name", ["api", "ledger", "static", "events", "nodes", "welcome", "errors"]
)
def test_a_route_of_ours_is_no_name(name: str, db: None) -> None:
    with pytest.raises(InvalidName, match="reserved"):
        services.create_user(name)


def test_a_name_is_given_once_to_people_and_organisations_alike(people: People) -> None:
    with pytest.raises(NameTaken, match="'lab'"):
        services.create_user("lab")
    with pytest.raises(NameTaken):
        services.create_organisation("charlie", people.alice)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM accounts_namespace WHERE name = 'lab'",
        "UPDATE accounts_namespace SET name = 'other' WHERE name = 'lab'",
    ],
)
def test_the_database_keeps_every_name_as_it_is(change: str, people: People) -> None:
    with (
        pytest.raises(IntegrityError, match="never changed or deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


@pytest.mark.parametrize("name", ["Lab2", "a", "lab-", "la b"])
def test_the_database_refuses_what_the_check_would(name: str, db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Namespace.objects.create(name=name)
