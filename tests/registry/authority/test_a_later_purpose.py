# SPDX-License-Identifier: Apache-2.0
"""A registry from before C2PA says what it lacks, and gets it by `authority rotate`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from assay.signing import chains, scts
from assay.signing.certificates import Purpose
from assay.signing.errors import SignerError
from registry.authority import issuing
from registry.authority.models import Certificate
from registry.conduct import services as conduct
from registry.ledger import certificates as ledger
from registry.ledger import services
from registry.ledger.models import Entry
from tests.registry.conduct.published import first_version
from tests.registry.people import People
from tests.running import Authority

MISSING = "c2pa           missing   authority rotate c2pa makes it"


@pytest.fixture
def certify(people: People, authority: Authority) -> Iterator[Callable[[], Certificate]]:
    """Has Bob certified for C2PA, by a signer in a folder as ceremonies made it before."""
    authority.begin_anew()
    authority.stop()
    for path in (authority.directory / "intermediates").glob("c2pa.*"):
        path.unlink()
    authority.start()
    version = first_version()
    conduct.accept(version, people.bob.namespace, people.bob)

    def ensure() -> Certificate:
        issuing.ensure(Purpose.C2PA, people.bob.namespace)
        return Certificate.objects.get(purpose="c2pa")  # Bob's, under a pseudonym

    yield ensure
    authority.begin_anew()


def say(*words: str) -> str:
    said = io.StringIO()
    call_command("authority", *words, stdout=said)
    return said.getvalue()


def test_it_says_what_is_missing(certify: Callable[[], Certificate], client: Client) -> None:
    assert MISSING in say("show")
    with pytest.raises(SignerError, match=r"found none: this registry is older .* rotate c2pa"):
        certify()
    with pytest.raises(CommandError, match="expected an intermediate for c2pa, found none"):
        say("compromise", "c2pa", "--since", "2026-11-20T09:30:00+00:00")
    assert client.get("/authority/crl/c2pa.crl").status_code == 404


def test_a_rotation_makes_it(
    certify: Callable[[], Certificate], authority: Authority, client: Client
) -> None:
    assert say("rotate", "c2pa", *authority.root_words) == "c2pa issues from now on\n"
    assert "missing" not in say("show")
    row = certify()
    assert row.issuer == "c2pa"
    (issued,) = [each for each in ledger.issued() if each.serial == row.serial]
    chain = ledger.chain_of(issued)
    named = chains.verify_chain(
        chain, root=authority.trust_root.root, purpose=Purpose.C2PA, at=row.issued_at
    )
    assert named == row.subject
    entries = {bytes(each.body) for each in Entry.objects.all()}
    assert {scts.ledger_entry(each) for each in services.signer().authorities()} <= entries
    assert client.get("/authority/crl/c2pa.crl").status_code == 200
