# SPDX-License-Identifier: Apache-2.0
"""Prepared queries find what Django's own find, whoever asks, and keep nothing that changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DataError, connection, connections, transaction
from django.db.models import Count, F, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry import prepared
from registry.accounts.models import Namespace, User
from registry.prepared import Among, Given, Prepared
from tests.registry.people import invite

pytestmark = pytest.mark.django_db


def by_name(name: str) -> QuerySet[User]:
    return User.objects.select_related("namespace").filter(username=name)


def test_finds_what_the_query_finds() -> None:
    people = invite()
    found = Prepared(by_name).first(name="alice")
    assert found == people.alice
    with CaptureQueriesContext(connection) as asked:
        assert found is not None
        assert found.namespace.name == "alice"  # it came along
    assert not asked.captured_queries


def test_finds_nothing() -> None:
    invite()
    query = Prepared(by_name)
    assert query.all(name="nobody") == []
    assert query.first(name="nobody") is None
    assert query.first(name=None) is None


def test_asks_anew_each_time() -> None:
    people = invite()
    query = Prepared(lambda key: User.objects.filter(pk=key))
    for person in (people.alice, people.bob, people.alice):
        assert query.all(key=person.pk) == [person]
    User.objects.filter(pk=people.bob.pk).update(is_findable=True)
    found = query.first(key=people.bob.pk)
    assert found is not None
    assert found.is_findable


def test_one_of_many() -> None:
    people = invite()
    query = Prepared(lambda names: User.objects.filter(Among(F("username"), names)).order_by("pk"))
    assert query.all(names=["bob", "alice", "nobody"]) == [people.alice, people.bob]
    assert query.all(names=[]) == []


def test_values_and_annotations() -> None:
    invite()
    flat = Prepared(lambda name: by_name(name).values_list("namespace__name", flat=True))
    assert flat.all(name="alice") == ["alice"]
    pairs = Prepared(lambda name: by_name(name).values_list("username", "is_active"))
    assert pairs.all(name="bob") == [("bob", True)]
    counted = Prepared(lambda name: by_name(name).annotate(roles=Count("groups")))
    found = counted.first(name="bob")
    assert found is not None
    assert found.roles == 0


def test_composes_once() -> None:
    invite()
    composed: list[object] = []

    def make(name: str) -> QuerySet[User]:
        composed.append(name)
        return by_name(name)

    query = Prepared(make)
    for name in ("alice", "bob", "charlie"):
        query.first(name=name)
    assert [type(each) for each in composed] == [Given, Given]


def test_is_planned_once() -> None:
    invite()
    query = Prepared(lambda name: Namespace.objects.filter(name=name).only("id"))
    for name in ("alice", "bob", "charlie"):
        query.first(name=name)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements "
            "WHERE statement LIKE '%accounts_namespace%' AND statement NOT LIKE '%JOIN%'"
        )
        assert (3, 0) in cursor.fetchall()


def test_refuses_what_changes_by_itself() -> None:
    query = Prepared(lambda name: by_name(name).filter(joined_at__lt=timezone.now()))
    with pytest.raises(ValueError, match="found another value"):
        query.first(name="alice")


def test_refuses_other_values() -> None:
    with pytest.raises(TypeError, match="expected name, found title"):
        Prepared(by_name).first(title="alice")


def test_counts_as_a_query() -> None:
    query = Prepared(by_name)
    with CaptureQueriesContext(connection) as asked:
        query.first(name="alice")
    assert "accounts_user" in asked.captured_queries[0]["sql"]


@pytest.mark.django_db(transaction=True)
def test_locks_rows_in_a_transaction_alone() -> None:
    people = invite()
    query = Prepared(lambda key: User.objects.filter(pk=key).select_for_update())
    with transaction.atomic():
        assert query.first(key=people.alice.pk) == people.alice
    with pytest.raises(transaction.TransactionManagementError, match="there is none"):
        query.first(key=people.alice.pk)


@pytest.mark.django_db(transaction=True)
def test_threads_share_one() -> None:
    people = invite()
    query = Prepared(lambda key: User.objects.filter(pk=key))
    keys = [person.pk for person in (people.alice, people.bob, people.charlie)] * 20

    def ask(key: int) -> int:
        try:
            (found,) = query.all(key=key)
            return found.pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, keys)) == keys


def test_prepares_sql_of_ours() -> None:
    sql = "SELECT number * %s::int8 FROM unnest(%s::int8[]) AS given (number) -- as prepared"
    for times in (1, 2, 3):
        assert prepared.rows(sql, [times, [10, 20]]) == [(10 * times,), (20 * times,)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements "
            "WHERE statement LIKE '%-- as prepared'"
        )
        assert cursor.fetchone() == (3, 0)


def is_reading_all() -> bool:
    ((said,),) = prepared.rows("SHOW enable_seqscan", [])
    return str(said) == "on"


def plan_of(sql: str) -> str:
    """How PostgreSQL would go about it, whatever the values are."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (GENERIC_PLAN) {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


def test_in_a_block_by_keys_a_small_table_is_read_by_its_index() -> None:
    with connection.cursor() as cursor:  # one that no other test has filled, and emptied
        cursor.execute("CREATE TEMPORARY TABLE few ON COMMIT DROP AS SELECT generate_series(1, 3)")
        cursor.execute("ALTER TABLE few ADD PRIMARY KEY (generate_series)")
        cursor.execute("ANALYZE few")
    sql = "SELECT 1 FROM few WHERE generate_series = ANY($1)"
    assert "Seq Scan" in plan_of(sql)  # a few rows are sooner read than looked up, as yet
    with prepared.by_keys():
        assert "Seq Scan" not in plan_of(sql)
        with prepared.by_keys():
            assert not is_reading_all()
        assert not is_reading_all()
    assert is_reading_all()


def test_a_block_by_keys_ends_with_whatever_failed_in_it() -> None:
    with pytest.raises(ValueError, match="its own"), prepared.by_keys():
        raise ValueError("its own")
    assert is_reading_all()
    with pytest.raises(DataError), transaction.atomic(), prepared.by_keys():
        prepared.rows("SELECT 1 / %s::int", [0])
    assert is_reading_all()
