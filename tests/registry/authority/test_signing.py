# SPDX-License-Identifier: Apache-2.0
"""What is signed for whom: an owner in good standing, at this moment, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pytest_django import DjangoDbBlocker

from assay.signing.certificates import Purpose
from assay.signing.chains import verify_chain
from assay.signing.digests import sha256
from assay.signing.errors import SignerError
from assay.signing.statements import (
    CheckpointClaim,
    ConductReference,
    DatasetClaim,
    Statement,
)
from registry.authority import services
from registry.authority.models import Certificate
from registry.conduct import queries as conduct_queries
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.conduct.models import PolicyVersion
from registry.ledger import queries as ledger
from registry.ledger.models import Entry
from registry.ledger.models import Statement as Row
from tests.registry.conduct.published import first_version
from tests.registry.people import People, invite
from tests.registry.undone import undone
from tests.running import Authority


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Three people, and the conduct version that they may accept."""

    people: People
    version: PolicyVersion


@pytest.fixture(scope="module")
def rules(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, authority: Authority
) -> Iterator[Rules]:
    with undone(django_db_blocker):
        published = first_version()
        yield Rules(people=invite(), version=published)


@pytest.fixture
def db(rules: Rules, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with undone(django_db_blocker):
        yield


@pytest.fixture
def people(db: None, rules: Rules) -> People:
    return rules.people


@pytest.fixture
def version(db: None, rules: Rules) -> PolicyVersion:
    return rules.version


def about_texts() -> Statement:
    return DatasetClaim(
        manifest_sha256="ab" * 32,
        name="lab/texts",
        title="Texts",
        source="a test",
        license="CC0-1.0",
        files=1,
        bytes=1,
    ).statement()


def about_weights(under: ConductReference) -> Statement:
    return CheckpointClaim(
        manifest_sha256="ab" * 32,
        registry="http://localhost:8000",
        project="lab/small",
        name="first",
        step=None,
        oms_sha256="cd" * 32,
        run=None,
        dataset_sha256=None,
        conduct=under,
    ).statement()


def sign(people: People, statement: Statement, *, under: ConductReference | None = None) -> Row:
    """Sign in the name of the laboratory, certified first."""
    lab = people.lab.namespace
    services.ensure(Purpose.CHECKPOINT, lab, under=under)
    return services.sign(Purpose.CHECKPOINT, lab, statement, under=under)


def test_a_statement_is_signed_in_the_owners_name(
    people: People, version: PolicyVersion, authority: Authority
) -> None:
    conduct.accept(version, people.lab.namespace, people.alice)
    row = sign(people, about_texts())
    chain = ledger.chain(row)
    subject = verify_chain(
        chain,
        root=authority.trust_root.root,
        purpose=Purpose.CHECKPOINT,
        at=chain.leaf.not_valid_before_utc,
    )
    assert subject == "http://localhost:8000/lab"
    ledger.envelope(row).verify(chain.public_key)
    assert row.entry.index is None


def test_the_certificate_is_listed_once(people: People, version: PolicyVersion) -> None:
    conduct.accept(version, people.lab.namespace, people.alice)
    reference = conduct_queries.reference(version)
    sign(people, about_texts())
    sign(people, about_weights(reference))
    listed = Certificate.objects.get(subject=people.lab.namespace.uri)
    assert listed.purpose == "checkpoint"
    assert listed.pem.startswith("-----BEGIN CERTIFICATE-----")
    assert listed.issued_at < listed.expires_at


def test_who_has_accepted_nothing_gets_nothing(people: People, version: PolicyVersion) -> None:
    entries = Entry.objects.count()
    for statement in (about_texts(), about_weights(conduct_queries.reference(version))):
        with pytest.raises(NotAccepted, match="by its signer"):
            sign(people, statement)
    assert Entry.objects.count() == entries
    assert not Certificate.objects.exists()


def test_an_acceptance_of_another_version_is_none(people: People, version: PolicyVersion) -> None:
    conduct.accept(version, people.lab.namespace, people.alice)
    other = ConductReference(id=version.policy_id, version="1.0", sha256=sha256(b"another"))
    with pytest.raises(NotAccepted):
        sign(people, about_weights(other))
    with pytest.raises(NotAccepted):
        sign(people, about_texts(), under=other)


def test_nothing_is_signed_after_a_withdrawal(people: People, version: PolicyVersion) -> None:
    conduct.accept(version, people.lab.namespace, people.alice)
    sign(people, about_texts())
    conduct.withdraw(version, people.lab.namespace, people.alice)
    reference = conduct_queries.reference(version)
    with pytest.raises(NotAccepted):
        sign(people, about_weights(reference))


def test_a_purpose_signs_only_its_own_statements(people: People, version: PolicyVersion) -> None:
    conduct.accept(version, people.lab.namespace, people.alice)
    with pytest.raises(SignerError) as refused:
        services.sign(Purpose.OUTPUT, people.lab.namespace, about_texts())
    assert refused.value.code == "wrong-statement"
    assert not Certificate.objects.exists()
