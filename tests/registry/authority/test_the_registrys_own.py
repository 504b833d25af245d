# SPDX-License-Identifier: Apache-2.0
"""The registry's own certificates are revoked like anybody's: offices, timestamps, responders."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from cryptography.x509 import ocsp
from django.core.cache import cache
from django.test import Client

from assay.signing.certificates import Chain, Purpose
from assay.signing.intermediates import Name
from registry.authority import issuing, revocations
from registry.authority.models import Certificate, Revocation
from registry.conduct import queries as conduct
from registry.ledger import certificates
from registry.ledger.certificates import Wanted
from tests.registry.authority.test_ocsp import ask, question
from tests.registry.authority.test_rotating import say
from tests.running import Authority

WORDS = ("--since", "2026-01-02T03:04:05+00:00")
OWN: Mapping[str, Callable[[], Wanted]] = {
    "conduct": lambda: certificates.office(conduct.OFFICE),
    "timestamp": certificates.timestamping,
    "output": lambda: certificates.responder(Name(purpose=Purpose.OUTPUT)),
}


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    cache.clear()


def issued(wanted: Wanted) -> Chain:
    """Through the ledger, as publishing and stamping have it done."""
    chain = certificates.issue(wanted)
    assert not Certificate.objects.exists()
    return chain


@pytest.mark.parametrize("issuer", OWN)
def test_each_is_revoked_singly(
    db: None, authority: Authority, client: Client, issuer: str
) -> None:
    chain = issued(OWN[issuer]())
    asked = question(chain)
    assert ask(client, asked, issuer).certificate_status is ocsp.OCSPCertStatus.GOOD
    say("revoke", f"{chain.leaf.serial_number:x}", "--reason", "key-compromise")
    assert ask(client, asked, issuer).certificate_status is ocsp.OCSPCertStatus.REVOKED


@pytest.mark.parametrize("purpose", ["conduct", "timestamp"])
def test_without_the_root_a_compromise_revokes_them(
    db: None, authority: Authority, purpose: str
) -> None:
    issuing.ensure_office(revocations.OFFICE)
    chain = issued(OWN[purpose]())
    say("rotate", purpose, *authority.root_words)
    say("compromise", purpose, *WORDS, "--issuer", purpose)
    serials = Revocation.objects.values_list("certificate__serial", flat=True)
    assert f"{chain.leaf.serial_number:x}" in serials


def test_after_the_timestamp_authoritys_is_revoked_it_has_another(
    db: None, authority: Authority
) -> None:
    issuing.ensure_office(revocations.OFFICE)
    first, second = issued(certificates.timestamping()), issued(OWN["conduct"]())
    for chain in (first, second):
        say("revoke", f"{chain.leaf.serial_number:x}", "--reason", "superseded")
    stamps = certificates.chains(certificates.timestamping())
    assert len(stamps) == 2
    assert first in stamps
