# SPDX-License-Identifier: Apache-2.0
"""What was signed under a certificate gets no entry once that is revoked, whatever it says."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from registry.ledger import barring
from registry.ledger.errors import CertificateBarred
from registry.ledger.models import Barred, Entry, Statement
from tests.registry.ledger.statements import record, record_signed, sign
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("part", ["leaf", "intermediate"])
def test_what_was_signed_before_gets_no_entry_afterwards(authority: Authority, part: str) -> None:
    record(1)
    signed = sign(2)  # in time, by the signer; but it is not in the ledger yet
    with transaction.atomic():
        barring.bar([getattr(signed.chain, part)])
    with pytest.raises(CertificateBarred, match=r"that are not revoked, found [0-9a-f]+$"):
        record_signed(signed)
    assert Statement.objects.count() == 1
    assert Entry.objects.filter(statement__isnull=False).count() == 1


def test_what_is_barred_is_barred_once_and_for_ever(authority: Authority) -> None:
    chain = sign(1).chain
    for _ in range(2):
        with transaction.atomic():
            barring.bar([chain.leaf])
    assert Barred.objects.count() == 1
    with pytest.raises(DatabaseError), transaction.atomic():
        Barred.objects.all().delete()


def test_it_is_asked_in_the_transaction_that_relies_on_it(authority: Authority) -> None:
    with pytest.raises(transaction.TransactionManagementError, match="that relies on it"):
        barring.check([sign(1).chain.leaf])
