# SPDX-License-Identifier: Apache-2.0
"""Nothing is logged under a certificate of ours that was revoked, nor under who issued it."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.test import Client
from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.intermediates import Name
from assay.signing.revocation import Reason
from registry.authority import compromise, revocations
from registry.ledger import services as ledger
from registry.ledger.models import Barred, Entry
from registry.sigstore import recording
from registry.sigstore.errors import NotOurs
from tests.issuer import Issuer
from tests.registry.authority.test_rotating import say
from tests.registry.sigstore.asking import CERTIFICATES, ENTRIES, certificates, csr, hashed, post
from tests.registry.sigstore.asking import token as token_of
from tests.running import Authority
from tests.until import until

pytestmark = pytest.mark.django_db(transaction=True)
KEY = ec.generate_private_key(ec.SECP256R1())
IDENTITY = Name(purpose=Purpose.IDENTITY)
SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RACERS = 20


@pytest.fixture
def leaf(authority: Authority, issuer: Issuer, client: Client) -> x509.Certificate:
    """A certificate that the registry has just issued, and that has logged a signature."""
    found, *_ = certificates(post(client, CERTIFICATES, csr(KEY), bearer=token_of(issuer)))
    assert post(client, ENTRIES, hashed(KEY, found)).status_code == 201
    return found


def revoke(leaf: x509.Certificate, reason: Reason = Reason.KEY_COMPROMISE) -> None:
    revocations.revoke(f"{leaf.serial_number:x}", reason)


def stop(_leaf: x509.Certificate) -> None:
    compromise.stop(IDENTITY)


def stop_behind_our_back(_leaf: x509.Certificate) -> None:
    """As by a process that was killed between the signer's answer and its own commit."""
    ledger.signer().stop(IDENTITY)
    revocations.sweep(now=timezone.now())


def logged() -> int:
    """How many signatures."""
    return sum(b"hashedrekord" in bytes(entry.body) for entry in Entry.objects.all())


@pytest.mark.parametrize("end", [revoke, stop, stop_behind_our_back])
def test_nothing_more_is_logged_under_it(
    leaf: x509.Certificate, client: Client, end: Callable[[x509.Certificate], None]
) -> None:
    end(leaf)
    answer = post(client, ENTRIES, hashed(KEY, leaf, b"signed afterwards"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not-our-certificate")
    assert "not revoked" in answer.json()["message"]
    assert logged() == 1


def test_an_intermediate_that_the_root_revoked_logs_nothing_more(
    leaf: x509.Certificate, client: Client, authority: Authority
) -> None:
    why = ("--reason", "ca-compromise", "--invalid-from", SINCE.isoformat())
    say("revoke-intermediate", "identity", *why, *authority.root_words)
    answer = post(client, ENTRIES, hashed(KEY, leaf, b"signed afterwards"))
    assert (answer.status_code, logged()) == (403, 1)


def test_who_is_barred_stays_so(leaf: x509.Certificate, client: Client) -> None:
    revoke(leaf, Reason.SUPERSEDED)
    assert list(Barred.objects.values_list("serial", flat=True)) == [f"{leaf.serial_number:x}"]
    revocations.sweep(now=timezone.now() + timedelta(days=9))
    assert post(client, ENTRIES, hashed(KEY, leaf)).status_code == 403


def record_until_refused(leaf: x509.Certificate, racer: int) -> int:
    """How many signatures one of twenty got in."""
    for number in range(10_000):
        request = json.dumps(hashed(KEY, leaf, b"%d of %d" % (number, racer))).encode()
        try:
            recording.record(request, now=timezone.now())
        except NotOurs:
            connection.close()  # this thread's own
            return number
    raise AssertionError("expected to be refused in the end")


def test_a_revocation_that_races_twenty_lets_none_slip_through(
    leaf: x509.Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "SEQUENCER_WAIT", "120s")  # twenty stand in one line
    with ThreadPoolExecutor(RACERS) as pool:
        racers = [pool.submit(record_until_refused, leaf, racer) for racer in range(RACERS)]
        until(lambda: logged() >= RACERS)
        revoke(leaf)
        committed = logged()
        inside = sum(racer.result(timeout=300) for racer in racers)
    assert logged() == committed == inside + 1
