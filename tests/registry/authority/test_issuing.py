# SPDX-License-Identifier: Apache-2.0
"""Who is certified: membership, acceptance and every name, checked as the certificate is issued."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone

from assay.signing import canonical, certificates, scts
from assay.signing.certificates import Purpose
from assay.signing.intermediates import Name
from assay.signing.keys import SoftwareKey
from assay.signing.provenance import CONDUCT
from assay.signing.revocation import Reason
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import BadRequest
from assay.signing.signer.protocol import PrecertifyRequest
from registry.accounts import pseudonyms
from registry.accounts import services as accounts
from registry.accounts.models import Node, Pseudonym, User
from registry.accounts.nodes import CertificateRequest
from registry.authority import issuing, revocations
from registry.authority.errors import NotAMember
from registry.authority.models import Certificate
from registry.conduct import queries as conduct_queries
from registry.conduct import services as conduct
from registry.conduct.errors import NotAccepted
from registry.conduct.models import PolicyVersion
from registry.ledger import certificates as ledger
from registry.ledger import queries, services
from registry.ledger.certificates import Wanted
from registry.ledger.models import Entry, Precertificate
from tests.registry.conduct.published import first_version
from tests.registry.people import People
from tests.running import Authority

_BASE64 = re.compile(rb"[A-Za-z0-9+/]{100,}={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Bob, who has accepted the one conduct version."""

    people: People
    version: PolicyVersion


@pytest.fixture
def world(people: People, authority: Authority) -> World:
    authority.begin_anew()
    version = first_version()
    conduct.accept(version, people.bob.namespace, people.bob)
    return World(people=people, version=version)


def ensure(world: World) -> x509.Certificate:
    """Bob's certificate for outputs."""
    owner = world.people.bob.namespace
    issuing.ensure(Purpose.OUTPUT, owner)
    issued = Precertificate.objects.filter(subject=subject(world), leaf__isnull=False)
    return ledger.chain_of(issued.latest("id")).leaf


def subject(world: World) -> str:
    """What Bob's certificates name."""
    return pseudonyms.certified_as(world.people.bob.namespace)


def withdraw(world: World) -> None:
    conduct.withdraw(world.version, world.people.bob.namespace, world.people.bob)


def deactivate(world: World) -> None:
    User.objects.filter(pk=world.people.bob.pk).update(is_active=False)


def test_a_certificate_is_in_the_ledger_before_it_is_one(
    world: World, authority: Authority
) -> None:
    leaf = ensure(world)
    row = Precertificate.objects.get(serial=f"{leaf.serial_number:x}")
    body = canonical.loads(bytes(queries.entry(row.entry.index or 0).body))
    assert body == canonical.loads(scts.ledger_entry(bytes(row.der)))
    chain = ledger.chain_of(row)
    log = authority.trust_root.certificate_log
    scts.verify(chain.leaf, issuer=chain.intermediate, log=log, by=timezone.now())
    conduct_digest = leaf.extensions.get_extension_for_oid(CONDUCT).value
    assert isinstance(conduct_digest, x509.UnrecognizedExtension)
    assert conduct_digest.value.hex() == f"0420{world.version.sha256}"


def test_the_root_and_its_intermediates_are_the_first_entries(world: World) -> None:
    ensure(world)
    shown = [scts.ledger_entry(each) for each in services.signer().authorities()]
    entries = Entry.objects.order_by("index")[: len(shown)]
    assert [bytes(each.body) for each in entries] == shown


def test_what_somebody_announced_meanwhile_is_left_to_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(world)
    row = Precertificate.objects.get(subject=subject(world))
    reference = conduct_queries.reference(world.version)
    wanted = issuing._wanted(Purpose.OUTPUT, world.people.bob.namespace, reference)
    with monkeypatch.context() as patched:
        patched.setattr(services, "integrate", lambda: None)  # as it was before their entry came
        assert ledger.issue(wanted) == ledger.chain_of(row)
    assert Precertificate.objects.filter(subject=subject(world), leaf__isnull=True).count() == 1
    assert ledger.issue(wanted) != ledger.chain_of(row)


def test_who_has_a_certificate_waits_for_nothing(world: World) -> None:
    leaf = ensure(world)
    entries = Entry.objects.count()
    assert ensure(world) == leaf
    assert Entry.objects.count() == entries


@pytest.mark.parametrize(("change", "error"), [(withdraw, NotAccepted), (deactivate, NotAMember)])
def test_nobody_is_certified_who_may_not_be(
    world: World, change: Callable[[World], None], error: type[Exception]
) -> None:
    change(world)
    entries = Entry.objects.count()
    with pytest.raises(error, match=r"signer(.s name)?, found (none|nobody)") as refused:
        ensure(world)
    assert world.people.bob.username not in str(refused.value)  # reasons are kept
    assert Entry.objects.count() == entries
    assert not Certificate.objects.filter(purpose="output").exists()


@pytest.mark.parametrize(("change", "error"), [(withdraw, NotAccepted), (deactivate, NotAMember)])
def test_what_changed_since_it_was_announced_is_seen_as_it_is_issued(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[World], None],
    error: type[Exception],
) -> None:
    integrate = services.integrate

    def and_then() -> object:
        done = integrate()
        change(world)
        return done

    monkeypatch.setattr(services, "integrate", and_then)
    with pytest.raises(error):
        ensure(world)
    row = Precertificate.objects.get(subject=subject(world))
    assert row.leaf is None
    assert not Certificate.objects.filter(purpose="output").exists()


def test_an_organisation_without_anybody_is_certified_for_nothing(world: World) -> None:
    lab, people = world.people.lab, world.people
    conduct.accept(world.version, lab.namespace, people.alice)
    issuing.ensure(Purpose.CHECKPOINT, lab.namespace)
    members = [people.alice.pk, people.bob.pk]
    User.objects.filter(pk__in=members).update(is_active=False)
    with pytest.raises(NotAMember, match=r"acts for the signer.s name, found nobody"):
        issuing.ensure(Purpose.OUTPUT, lab.namespace)


STEPS = ("precertify", "_record", "integrate", "certify")
CRASHES = [(step, when) for step in STEPS for when in ("before", "after")]


@pytest.mark.parametrize(("step", "when"), CRASHES)
def test_a_crash_at_any_step_is_gone_on_with(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    place = {"_record": ledger, "integrate": services}.get(step, SignerClient)
    original = getattr(place, step)

    def crash(*args: object) -> object:
        if when == "after":
            original(*args)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(place, step, crash)
        with pytest.raises(KilledError):
            ensure(world)
    # After the last one the signer has it, and asking again gives it: what it signs is listed then.
    chain = ledger.issue(wanted_by(world))
    assert ensure(world) == chain.leaf
    issuing.keep(chain, Purpose.OUTPUT)
    issued = Precertificate.objects.filter(subject=subject(world), leaf__isnull=False)
    assert issued.count() == Certificate.objects.filter(purpose="output").count() == 1


class KilledError(Exception):
    """The process ended here."""


def test_two_at_a_time_get_the_same_certificate(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    precertify = SignerClient.precertify

    def meanwhile(client: SignerClient, request: PrecertifyRequest) -> bytes:
        monkeypatch.setattr(SignerClient, "precertify", precertify)
        ledger._announce(wanted_by(world))
        return precertify(client, request)

    monkeypatch.setattr(SignerClient, "precertify", meanwhile)
    ensure(world)
    assert Precertificate.objects.filter(subject=subject(world)).count() == 1


def test_a_certificate_is_renewed_in_its_last_tenth(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf = ensure(world)
    ends, days = leaf.not_valid_after_utc, leaf.not_valid_after_utc - leaf.not_valid_before_utc
    assert ledger._is_there(wanted_by(world), ends - days / 10 - timedelta(seconds=1))
    assert not ledger._is_there(wanted_by(world), ends - days / 10)
    monkeypatch.setattr(ledger, "RENEWED_IN_LAST", 1)
    assert ensure(world) != leaf


def test_an_announcement_that_ended_is_made_anew(world: World) -> None:
    wanted = wanted_by(world)
    ledger._announce(wanted)
    Precertificate.objects.filter(leaf__isnull=True).update(expires_at=timezone.now())
    assert ensure(world).serial_number
    retired = Precertificate.objects.filter(retired_at__isnull=False)
    assert retired.count() == 1


def test_what_the_signer_does_not_know_is_announced_anew(world: World) -> None:
    wanted = wanted_by(world)
    ledger._announce(wanted)
    Precertificate.objects.filter(leaf__isnull=True).update(sha256="ab" * 32)
    with pytest.raises(BadRequest, match="expected a precertificate made here"):
        ensure(world)
    assert ensure(world).serial_number


def wanted_by(world: World) -> Wanted:
    return Wanted(
        purpose=Purpose.OUTPUT,
        subject=world.people.bob.namespace.uri,
        conduct_sha256=world.version.sha256,
        salt=issuing.salt_of(world.people.bob.namespace),
    )


def test_a_person_whose_pseudonym_is_missing_is_not_certified_in_clear(world: World) -> None:
    bob, lab = world.people.bob.namespace, world.people.lab.namespace
    assert issuing.salt_of(lab) is None
    assert issuing.salt_of(bob)
    Pseudonym.objects.filter(namespace=bob).delete()
    with pytest.raises(NotAMember, match="a person with a pseudonym; found neither"):
        issuing.salt_of(bob)


def test_a_revoked_certificate_is_replaced(world: World) -> None:
    leaf = ensure(world)
    revocations.revoke(f"{leaf.serial_number:x}", Reason.SUPERSEDED)
    assert ensure(world) != leaf


def test_the_registrys_own_certificates_can_be_revoked_too(world: World) -> None:
    office = Precertificate.objects.get(subject=conduct_queries.subject_uri())
    assert not Certificate.objects.filter(serial=office.serial).exists()
    is_known, _ = revocations.finding(Name(purpose=Purpose.CONDUCT), int(office.serial, 16))
    assert is_known
    assert Certificate.objects.get(serial=office.serial).subject == office.subject
    assert revocations.finding(Name(purpose=Purpose.NODE), int(office.serial, 16)) == (False, None)


def test_a_node_is_certified_under_what_its_owner_accepted(world: World) -> None:
    node, csr = join(world)
    chain = issuing.issue_for_node(node, csr)
    value = chain.leaf.extensions.get_extension_for_oid(CONDUCT).value
    assert isinstance(value, x509.UnrecognizedExtension)
    assert value.value.hex() == f"0420{world.version.sha256}"


def test_a_node_of_who_accepted_nothing_is_not_certified(world: World) -> None:
    node, csr = join(world)
    withdraw(world)
    with pytest.raises(NotAccepted, match="a conduct version by its signer"):
        issuing.issue_for_node(node, csr)


def test_a_node_that_is_another_by_now_is_not_certified(world: World) -> None:
    node, csr = join(world)
    Node.objects.filter(pk=node.pk).update(owner=world.people.charlie)
    with pytest.raises(
        NotAMember, match=r"expected a node of its owner.s with the key it joined with"
    ):
        issuing.issue_for_node(node, csr)


def join(world: World) -> tuple[Node, bytes]:
    csr = certificates.request(SoftwareKey.generate(), subject="a node")
    pem = x509.load_der_x509_csr(csr).public_bytes(Encoding.PEM).decode()
    request = CertificateRequest.parse(pem)
    return accounts.join_node(world.people.bob, "box", request, {}), csr


def test_a_precertificate_says_what_it_is(world: World) -> None:
    row = Precertificate.objects.get(serial=f"{ensure(world).serial_number:x}")
    assert str(row) == f"output {subject(world)} {row.serial}"
    assert world.people.bob.username not in str(row)


def test_no_entry_names_the_person(world: World) -> None:
    ensure(world)
    kept = [_readable(bytes(each.body)) for each in Entry.objects.all()]
    assert any(subject(world).encode() in each for each in kept)
    assert not any(world.people.bob.namespace.uri.encode() in each for each in kept)


def _readable(body: bytes) -> bytes:
    """An entry with what it holds in base64, such as certificates."""
    return b"\n".join([body, *(b64decode(each) for each in _BASE64.findall(body))])
