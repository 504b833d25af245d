# SPDX-License-Identifier: Apache-2.0
"""Integrating: contiguous indexes, one signed head for whoever waits, and no way back."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from assay.signing import merkle, treehead
from assay.signing.digests import sha256
from assay.signing.signer.client import SignerClient
from registry.ledger import queries, services
from registry.ledger.errors import LedgerBehind, NotIncluded
from registry.ledger.models import Entry, Hash, Statement, TreeHead
from tests.registry.ledger.statements import record, record_signed, sign
from tests.running import Authority
from tests.signing.trees import root_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_empty_ledger_has_no_tree_head(authority: Authority) -> None:
    assert services.integrate() is None


def test_pending_entries_get_contiguous_indexes_in_order(authority: Authority) -> None:
    first, second, third = record(1, 2, 3)
    services.integrate()
    indexes = Statement.objects.order_by("id").values_list("entry__index", flat=True)
    assert list(indexes) == [0, 1, 2]
    assert queries.is_included(first, second, third)


def test_the_tree_head_is_signed_and_is_the_root_of_all_leaves(authority: Authority) -> None:
    record(1, 2, 3, 4, 5)
    head = services.integrate()
    assert head is not None
    leaves = [merkle.leaf_hash(bytes(e.body)) for e in Entry.objects.order_by("index")]
    signed = treehead.verify(head.note, authority.trust_root.verifier)
    assert (signed.size, signed.root) == (5, root_of(leaves))


def test_integrating_again_without_news_changes_nothing(authority: Authority) -> None:
    record(1)
    first = services.integrate()
    second = services.integrate()
    assert first == second
    assert TreeHead.objects.count() == 1


def test_every_entry_of_every_size_is_proved_under_the_newest_head(authority: Authority) -> None:
    for number in range(1, 14):
        record(number)
        services.integrate()
    head = queries.tree_head()
    for entry in Entry.objects.all():
        assert entry.index is not None
        proof = queries.proof(entry.index)
        leaf = merkle.leaf_hash(bytes(entry.body))
        merkle.verify_inclusion(leaf, entry.index, head.size, proof.hashes, bytes(head.root))


def test_a_proof_takes_a_number_of_queries_that_does_not_grow(
    authority: Authority, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    record(*range(40))
    services.integrate()
    with django_assert_max_num_queries(3):  # head, cosignatures, hashes
        proof = queries.proof(17)
    assert len(proof.hashes) <= 6


def test_many_are_recorded_in_as_many_queries_as_few(
    authority: Authority, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    signed = [sign(number) for number in range(8)]
    services.record_all(signed[:3])
    with django_assert_max_num_queries(10):
        services.record_all([*signed, signed[7]])
    head = services.integrate()
    assert head is not None
    assert head.size == 8
    assert all(queries.statement(sha256(one.envelope.payload)) for one in signed)


def test_more_than_a_batch_is_integrated_at_once(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "BATCH_ENTRIES", 3)
    record(*range(8))
    head = services.integrate()
    assert head is not None
    assert head.size == 8
    assert TreeHead.objects.count() == 1


def test_bundles_of_several_stand_under_one_tree_head(
    authority: Authority, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    statements = record(1, 2, 3, 4, 5)
    services.integrate()
    with django_assert_num_queries(4):
        together = queries.bundles(*statements)
    assert together == tuple(queries.bundle(statement) for statement in statements)


def test_a_statement_is_pending_until_a_head_includes_it(authority: Authority) -> None:
    (statement,) = record(1)
    assert not queries.is_included(statement)
    assert queries.has_pending()
    with pytest.raises(NotIncluded, match="pending"):
        queries.bundle(statement)


def test_a_rolled_back_transaction_leaves_no_gap(authority: Authority) -> None:
    record(1)
    with transaction.atomic():
        record(2)
        transaction.set_rollback(True)
    record(3)
    head = services.integrate()
    assert head is not None
    assert head.size == 2
    assert not queries.has_pending()


def test_the_same_statement_again_is_the_row_that_is_there(authority: Authority) -> None:
    first = record_signed(sign(1))
    again = record_signed(sign(1))  # another signature: ECDSA is random
    assert first == again
    assert Entry.objects.count() == 1


def test_integrating_inside_a_transaction_is_refused(authority: Authority) -> None:
    record(1)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.integrate()
    assert TreeHead.objects.count() == 0


def test_entries_with_indexes_but_no_head_are_signed_by_the_next_call(
    authority: Authority,
) -> None:
    """What a crash between transaction A and the signature leaves."""
    record(1, 2)
    services._assign()
    assert queries.newest_head() is None
    head = services.integrate()
    assert head is not None
    assert head.size == 2


def test_a_head_that_was_signed_and_not_stored_is_signed_again(authority: Authority) -> None:
    """What a crash between the signature and transaction B leaves."""
    record(1, 2)
    services._assign()
    lost = services.signer().sign_head(2, queries.root(2), ())
    head = services.integrate()
    assert head is not None
    assert head.note == lost


@pytest.mark.parametrize("more", [(), (4,)])
def test_a_head_that_continued_another_and_was_not_stored_is_signed_again(
    more: tuple[int, ...], authority: Authority
) -> None:
    record(1)
    services.integrate()
    record(2, 3)
    services._assign()
    lost = services.signer().sign_head(3, *queries.growth(1, 3))
    record(*more)
    head = services.integrate()
    assert head is not None
    assert head.size == 3 + len(more)
    assert (head.note == lost) is not bool(more)


def test_the_signer_is_asked_for_its_mark_only_where_it_is_not_the_newest_head(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(1)
    services.integrate()
    monkeypatch.delattr(SignerClient, "describe")
    record(2)
    head = services.integrate()
    assert head is not None
    assert treehead.verify(head.note, head.verifier).size == 2


def test_a_database_that_has_lost_entries_is_an_old_copy(authority: Authority) -> None:
    record(1, 2)
    services.integrate()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM ledger_entry WHERE index = 1")
        cursor.execute("SET session_replication_role = DEFAULT")
    with pytest.raises(LedgerBehind, match="old copy"):
        services.integrate()


def test_an_old_copy_of_the_database_is_refused(authority: Authority) -> None:
    """A dump of one entry, restored after the signer has signed three."""
    record(1)
    services.integrate()
    elsewhere = [bytes([n]) * 32 for n in range(2)]
    stored = {(0, 0): bytes(Hash.objects.get(level=0, position=0).digest)}
    stored |= merkle.new_subtrees(1, elsewhere, lambda level, position: stored[level, position])
    root = merkle.root_from(3, lambda level, position: stored[level, position])
    proof = merkle.consistency_proof(1, 3, lambda level, position: stored[level, position])
    services.signer().sign_head(3, root, proof)
    record(2)
    with pytest.raises(LedgerBehind, match="old copy"):
        services.integrate()
    assert queries.tree_head().size == 1


def test_an_old_copy_that_grew_again_with_other_entries_is_refused(authority: Authority) -> None:
    record(1, 2)
    services._assign()
    services.signer().sign_head(2, b"\x01" * 32, ())  # the signer remembers other entries
    with pytest.raises(Exception, match=r"root|tree") as refused:
        services.integrate()
    assert getattr(refused.value, "code", "") == "ledger-rollback"
    assert queries.newest_head() is None


def test_nothing_is_shown_while_the_signer_is_away(authority: Authority) -> None:
    record(1)
    authority.stop()
    try:
        with pytest.raises(Exception, match="signer"):
            services.integrate()
        assert queries.newest_head() is None
    finally:
        authority.start()
    head = services.integrate()
    assert head is not None
    assert head.size == 1


def test_a_missing_hash_stops_the_ledger_instead_of_guessing(authority: Authority) -> None:
    record(1, 2)
    services.integrate()
    with pytest.raises(Exception, match="is missing"):
        queries.reading(lambda subtree: subtree(5, 5))
