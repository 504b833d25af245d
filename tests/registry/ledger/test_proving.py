# SPDX-License-Identifier: Apache-2.0
"""The head that proves an entry is found in a few looks, however many heads there are."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from assay.signing.cosignatures import Witness
from assay.signing.tlog import Policy
from registry.ledger import cosigned
from registry.ledger.models import Cosignature, TreeHead
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)

HEADS, MAX_ROWS = 2_000, 40
NAMES = ("a", "b", "c")
WITNESSES = {
    name: Witness(name=f"{name}.test", public_key=Ed25519PrivateKey.generate().public_key())
    for name in NAMES
}


def policy(authority: Authority, group: str) -> Policy:
    lines = [f"log {authority.trust_root.verifier}"]
    lines += [f"witness {name} {witness.text()}" for name, witness in WITNESSES.items()]
    return Policy.parse("\n".join([*lines, f"group g {group}", "quorum g", ""]).encode())


def heads(**seen: Iterable[int]) -> None:
    """Every size up to HEADS, and which of them each witness has cosigned."""
    made = TreeHead.objects.bulk_create(
        TreeHead(size=size, root=b"", note="", verifier="") for size in range(1, HEADS + 1)
    )
    Cosignature.objects.bulk_create(
        Cosignature(head=made[size - 1], size=size, witness=WITNESSES[name].text(), lines="")
        for name, sizes in seen.items()
        for size in sizes
    )


def looks(index: int, enough: Policy) -> int | None:
    """The size of the head that proves an entry, for which the database reads next to nothing."""
    with CaptureQueriesContext(connection) as captured:
        found = cosigned._earliest(index, enough)
    assert sum(rows_read(each["sql"]) for each in captured.captured_queries) <= MAX_ROWS
    return None if found is None else found.size


def rows_read(sql: str) -> int:
    """Over all that a query goes through, what was thrown away too."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_cosignature, ledger_treehead")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.replace("%", "%%"))
        ((plans,),) = cursor.fetchall()
    nodes, rows = [plan["Plan"] for plan in plans], 0
    for node in nodes:
        nodes += node.get("Plans", [])
        read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        rows += read * node["Actual Loops"]
    return int(rows)


EVERY = range(1, HEADS + 1)


@pytest.mark.parametrize("index", [0, 1, HEADS // 2, HEADS - 1])
def test_where_all_have_seen_every_head_it_is_the_next_one(
    authority: Authority, index: int
) -> None:
    heads(a=EVERY, b=EVERY, c=EVERY)
    assert looks(index, policy(authority, "2 a b c")) == index + 1


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("any a b c", 1),
        ("2 a b c", HEADS - 9),
        ("all a b c", HEADS - 1),
        ("all a b", HEADS - 9),
    ],
)
def test_what_a_witness_missed_while_it_was_away_is_passed_over_at_once(
    authority: Authority, group: str, expected: int
) -> None:
    heads(a=EVERY, b=range(HEADS - 9, HEADS + 1), c=[HEADS - 1])
    assert looks(0, policy(authority, group)) == expected


def test_where_too_few_have_seen_anything_one_look_says_so(authority: Authority) -> None:
    heads(a=EVERY)
    assert looks(0, policy(authority, "2 a b c")) is None


def test_witnesses_that_never_meet_are_followed_only_so_far(authority: Authority) -> None:
    heads(a=range(1, HEADS, 2), b=range(2, HEADS, 2))
    with CaptureQueriesContext(connection) as captured:
        assert cosigned._earliest(0, policy(authority, "all a b")) is None
    assert len(captured) == cosigned.MAX_STEPS


def test_what_was_cosigned_before_sizes_were_kept_has_them(authority: Authority) -> None:
    heads(a=EVERY)
    MigrationExecutor(connection).migrate([("ledger", "0009_blanking_why_it_was_taken_down")])
    # Of every app: the tables that stand on these of the ledger went with them.
    again = MigrationExecutor(connection)
    again.migrate(again.loader.graph.leaf_nodes())
    assert looks(HEADS - 2, policy(authority, "any a")) == HEADS - 1
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Cosignature.objects.update(lines="")


def test_a_cosignature_states_the_size_of_its_head(authority: Authority) -> None:
    heads()
    head = TreeHead.objects.get(size=7)
    with pytest.raises(IntegrityError, match="ledger_cosignature_of_size"), transaction.atomic():
        Cosignature.objects.create(head=head, size=8, witness="w", lines="")
