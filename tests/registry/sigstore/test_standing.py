# SPDX-License-Identifier: Apache-2.0
"""Whom an identity certificate names is asked again as it is issued: member, name, acceptance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from pytest_django import Settings

from registry.authority.models import Certificate
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.conduct.models import PolicyVersion
from registry.ledger import services as ledger
from registry.ledger.models import Entry
from registry.oidc.errors import TokenRefused
from registry.oidc.naming import Name
from registry.sigstore import certifying, issuing
from tests.issuer import Issuer
from tests.registry.conduct.published import first_version
from tests.registry.people import People, invite
from tests.registry.sigstore.asking import CERTIFICATES, certificates, csr, post, token
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)
KEY = ec.generate_private_key(ec.SECP256R1())
HERE = "http://localhost:8000"


@pytest.fixture
def people(authority: Authority, transactional_db: None) -> People:
    return invite()


@pytest.fixture
def version(people: People) -> PolicyVersion:
    """What Alice has accepted."""
    version = first_version()
    conduct.accept(version, people.alice.namespace, people.alice)
    return version


def ask(client: Client, name: str = "alice") -> Any:  # noqa: ANN401 - a test response
    own = ledger.signer().sign_token(f"{HERE}/{name}", "sigstore", nonce="")
    return post(client, CERTIFICATES, csr(KEY), bearer=own)


def test_a_person_who_accepted_is_certified(client: Client, version: PolicyVersion) -> None:
    assert certificates(ask(client))


def test_a_person_who_accepted_nothing_is_not(client: Client, version: PolicyVersion) -> None:
    before = Entry.objects.count()
    answer = ask(client, "charlie")
    assert (answer.status_code, answer.json()["code"]) == (403, "conduct-not-accepted")
    assert Entry.objects.count() == before


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Between the precertificate, which is recorded, and the certificate."""
    integrate = ledger.integrate

    def later() -> object:
        happens()
        return integrate()

    monkeypatch.setattr(ledger, "integrate", later)


def asked(name: str, issuer: str) -> certifying.Identity:
    return certifying.Identity(name=Name(value=name, is_mail=False), issuer=issuer)


def test_an_acceptance_that_is_withdrawn_meanwhile_gets_none(
    people: People, version: PolicyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: conduct.withdraw(version, people.alice.namespace, people.alice))
    with pytest.raises(NotAccepted):
        issuing.issue(KEY.public_key(), asked(f"{HERE}/alice", HERE))
    assert not Certificate.objects.filter(subject=f"{HERE}/alice").exists()


def test_a_person_who_leaves_meanwhile_gets_none(
    people: People, version: PolicyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave() -> None:
        people.alice.is_active = False
        people.alice.save()

    meanwhile(monkeypatch, leave)
    with pytest.raises(TokenRefused, match="nobody who still is one"):
        issuing.issue(KEY.public_key(), asked(f"{HERE}/alice", HERE))
    assert not Certificate.objects.filter(subject=f"{HERE}/alice").exists()


def test_a_provider_that_is_no_longer_believed_gets_none(
    authority: Authority, issuer: Issuer, settings: Settings, client: Client
) -> None:
    assert certificates(post(client, CERTIFICATES, csr(KEY), bearer=token(issuer)))
    settings.OIDC_PROVIDERS = ""
    with pytest.raises(TokenRefused, match="believed for signing"):
        issuing.issue(KEY.public_key(), asked("https://ci.example.test/job", issuer.url))
