# SPDX-License-Identifier: Apache-2.0
"""What a sanction ends, all in the transaction that confirms it, and what the ledger says of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from assay.signing.certificates import Purpose
from assay.signing.digests import as_id, sha256
from assay.signing.errors import SignerError
from assay.signing.evidence import Evidence
from assay.signing.revocation import Reason
from assay.signing.statements import (
    SANCTION_V1,
    TAKEDOWN_V2,
    SanctionClaim,
    Sanctioned,
    Statement,
    sanctioned_commitment,
)
from assay.signing.verify import verify_checkpoint
from registry.accounts import pseudonyms, staying
from registry.accounts import services as accounts
from registry.accounts.errors import NodeExpelled, Suspended, TokenRevoked
from registry.accounts.models import Namespace, Suspension, Token, User
from registry.authority import revocations
from registry.authority import services as authority_services
from registry.authority.errors import AlreadyRevoked
from registry.authority.models import Certificate, Revocation
from registry.catalog import queries as catalog
from registry.catalog import services as catalog_services
from registry.catalog.errors import InvalidTakedown, MayNotPublish
from registry.catalog.models import Checkpoint
from registry.catalog.models import State as CheckpointState
from registry.catalog.services import takedowns
from registry.catalog.services.takedowns import Order
from registry.conduct import services as conduct
from registry.conduct import standing
from registry.conduct.errors import NotAccepted
from registry.ledger import services as ledger
from registry.moderation import queries
from registry.moderation.errors import NotDecidable
from registry.moderation.models import Case, Sanction, State
from tests.registry.catalog.world import FILES, World, by_person, changed, project, publish, request
from tests.registry.moderation.court import REASONS, Court, decided, reported, sanction
from tests.registry.people import browser, client_of, client_of_job, in_session, secret_of
from tests.registry.verifying import demands
from tests.running import Authority

pytestmark = pytest.mark.django_db


def sanctioned(about: str, by: User, court: Court, *, days: int | None = None) -> Case:
    case = reported(about, by)
    return decided(case, court, sanction(case, days=days))


def claim(of: Case) -> SanctionClaim:
    found = Sanction.objects.get(case=of)
    assert found.statement.predicate_type == SANCTION_V1
    return SanctionClaim.parse(Statement.parse(bytes(found.statement.payload)))


def is_named_by(of: Case, against: Sanctioned, name: str) -> bool:
    salt = bytes(Sanction.objects.get(case=of).salt)
    return claim(of).subject_sha256 == sanctioned_commitment(salt, against, name)


def is_revoked(uri: str) -> bool:
    serials = Certificate.objects.filter(subject=uri)
    return serials.count() == Revocation.objects.filter(certificate__in=serials).count() > 0


def test_a_checkpoint_is_served_no_more_for_a_clause_that_verifiers_name(
    authority: Authority, world: World, court: Court, first: Checkpoint
) -> None:
    case = sanctioned(first.full_name, world.people.charlie, court)
    first.refresh_from_db()
    assert (first.state, first.reason, first.case) == ("taken-down", REASONS, case.pk)
    assert first.takedown is not None
    assert first.takedown.predicate_type == TAKEDOWN_V2
    assert Sanction.objects.get().statement == first.takedown
    ledger.integrate()
    answer = Client().get(f"/api/v1/checkpoints/{as_id(first.manifest_sha256)}/evidence")
    verified = verify_checkpoint(
        Evidence.parse(answer.json()),
        trust=authority.trust_root,
        requirements=demands(),
        files=catalog.manifest(first),
    )
    assert verified.takedown is not None
    breach = verified.takedown.breach
    assert breach is not None
    assert (breach.conduct.id, breach.clause) == (world.conduct.policy_id, "coc:1.1")
    assert breach.evidence_sha256 == sha256(queries.case_file(case))
    page = Client().get(first.path).content.decode()
    assert f'<a href="{world.conduct.path}#coc:1.1">coc:1.1</a>' in page


def test_what_else_has_its_weights_is_shown_to_who_decides_and_stays(
    world: World, court: Court, first: Checkpoint
) -> None:
    bob = world.people.bob
    conduct.accept(world.conduct, bob.namespace, bob)
    copies = project(bob.namespace, world.conduct, bob, "copy")
    copy = publish(changed(by_person(world, user=bob), project=copies))
    case = reported(first.full_name, world.people.charlie)
    assert f'href="{copy.path}"' in browser(court.dora).get(case.path).content.decode()
    decided(case, court, sanction(case))
    copy.refresh_from_db()
    assert copy.state == CheckpointState.PUBLISHED


def test_a_person_begins_nothing_more(world: World, court: Court, first: Checkpoint) -> None:
    bob = world.people.bob
    conduct.accept(world.conduct, bob.namespace, bob)
    authority_services.ensure(Purpose.CHECKPOINT, bob.namespace)
    secret, job = secret_of(bob, "publish"), client_of_job(bob)
    session, page = in_session(bob), browser(bob)
    case = sanctioned("bob", world.people.charlie, court)

    assert not standing.is_good(bob.namespace, world.conduct)
    with pytest.raises(Suspended, match=f"for good.*community/cases/{case.pk}"):
        standing.require(bob.namespace, world.conduct)
    with pytest.raises(Suspended):
        standing.require_any(bob.namespace)
    assert standing.hold(bob.namespace, None) is None
    with pytest.raises(Suspended):
        conduct.accept(world.conduct, bob.namespace, bob)
    with pytest.raises(Suspended):
        secret_of(bob, "read")
    with pytest.raises(TokenRevoked):
        accounts.authenticate(f"Bearer {secret}", now=timezone.now())
    assert job.get("/api/v1/whoami").status_code == 401
    assert is_revoked(pseudonyms.certified_as(bob.namespace))
    assert is_revoked(world.node.uri)
    refused = session.post("/api/v1/organisations", {"name": "other"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "suspended")
    assert str(case.pk) in refused.json()["detail"]
    shown = page.post("/settings/organisations", {"name": "other"})
    assert shown.status_code == 403
    assert f"/community/cases/{case.pk}" in shown.content.decode()
    assert is_named_by(case, Sanctioned.PARTY, bob.namespace.uri)
    assert (claim(case).until, first.state) == (None, CheckpointState.PUBLISHED)


def test_who_is_suspended_still_reads_and_takes_back_and_signs_out(
    world: World, court: Court, first: Checkpoint
) -> None:
    bob = world.people.bob
    sanctioned("bob", world.people.charlie, court)
    page = browser(bob)
    assert page.get(first.path).status_code == 200
    answer = page.post(f"{world.conduct.path}/answer", {"owner": "bob", "withdraw": "1"})
    assert (answer.status_code, answer["Location"]) == (302, world.conduct.path)
    accepting = page.post(f"{world.conduct.path}/answer", {"owner": "bob", "typed": "1.0"})
    assert accepting.status_code == 403
    assert page.post("/logout").status_code == 302


def test_an_organisation_is_suspended_and_its_members_go_on_elsewhere(
    world: World, court: Court
) -> None:
    sanctioned("lab", world.people.charlie, court)
    alice = world.people.alice
    with pytest.raises(Suspended, match="found lab"):
        publish(by_person(world))
    conduct.accept(world.conduct, alice.namespace, alice)
    assert standing.is_good(alice.namespace, world.conduct)
    assert client_of(alice, "read").get("/api/v1/whoami").status_code == 200


def test_a_suspended_organisation_gives_nothing_away(world: World, court: Court) -> None:
    alice = world.people.alice
    conduct.accept(world.conduct, alice.namespace, alice)
    sanctioned("lab", world.people.charlie, court)
    with pytest.raises(Suspended, match="found lab"):
        catalog_services.move(world.project, alice.namespace, "small", by=alice)


def test_a_suspended_owner_accepts_nothing_for_others(world: World, court: Court) -> None:
    alice = world.people.alice
    other = accounts.create_organisation("other", alice)
    sanctioned("alice", world.people.charlie, court)
    with pytest.raises(Suspended, match="found alice"):
        conduct.accept(world.conduct, other.namespace, alice)


def test_what_was_on_its_way_when_they_were_suspended_ends_there(
    world: World, court: Court
) -> None:
    alice = world.people.alice
    conduct.accept(world.conduct, alice.namespace, alice)
    # All of it was sent, in the name of the lab.
    submission = by_person(world, "second", {**FILES, "notes.md": b"More."})
    secret = secret_of(alice, "publish")
    token = Token.objects.get(user=alice)
    sanctioned("alice", world.people.charlie, court)
    with pytest.raises(MayNotPublish):
        publish(submission)
    with pytest.raises(TokenRevoked), transaction.atomic():
        staying.hold_token(token)
    with pytest.raises(TokenRevoked), transaction.atomic():
        staying.hold_bearer(f"Bearer {secret}")


def test_a_suspension_ends_by_itself(world: World, court: Court) -> None:
    bob = world.people.bob
    case = sanctioned("bob", world.people.charlie, court, days=3)
    imposed = Sanction.objects.get(case=case)
    assert imposed.until == imposed.imposed_at + timedelta(days=3) == claim(case).until
    with pytest.raises(Suspended, match=f"until {imposed.until:%Y-%m-%d}"):
        standing.require(bob.namespace, world.conduct)
    earlier = timezone.now() - timedelta(days=4)
    Suspension.objects.update(since=earlier, until=earlier + timedelta(days=3))
    standing.require(bob.namespace, world.conduct)
    assert Token.objects.filter(user=bob, revoked_at=None).count() == 0
    secret_of(bob, "read")


def test_a_machine_is_expelled_and_its_owner_is_not(world: World, court: Court) -> None:
    bob, node = world.people.bob, world.node
    case = sanctioned(f"node:{node.pk}", world.people.charlie, court)
    with pytest.raises(NodeExpelled, match=str(case.pk)):
        accounts.join_node(bob, "again", request(world.key), {})
    assert is_revoked(node.uri)
    assert is_named_by(case, Sanctioned.NODE, node.uri)
    standing.require(bob.namespace, world.conduct)
    again = reported(f"node:{node.pk}", world.people.charlie)
    with pytest.raises(NodeExpelled, match="found one that was expelled"):
        decided(again, court, sanction(again))


def test_a_machine_that_joined_before_it_was_expelled_is_not_certified_after(
    world: World, court: Court
) -> None:
    csr = request(world.key)
    node = accounts.join_node(world.people.bob, "again", csr, {})
    sanctioned(f"node:{node.pk}", world.people.charlie, court)
    with pytest.raises(NodeExpelled):
        authority_services.certify_node(node, csr)


def test_a_token_is_revoked(world: World, court: Court) -> None:
    secret = secret_of(world.people.bob, "read")
    token = Token.objects.get(user=world.people.bob)
    case = sanctioned(f"token:{token.pk}", court.frida, court)
    with pytest.raises(TokenRevoked):
        accounts.authenticate(f"Bearer {secret}", now=timezone.now())
    assert is_named_by(case, Sanctioned.TOKEN, f"token:{token.pk}")
    again = reported(f"token:{token.pk}", court.frida)
    with pytest.raises(NotDecidable, match="found one that is over"):
        decided(again, court, sanction(again))
    standing.require(world.people.bob.namespace, world.conduct)


def test_a_certificate_is_revoked_and_named_by_its_digest(world: World, court: Court) -> None:
    certificate = Certificate.objects.get(subject=world.node.uri)
    case = sanctioned(f"certificate:{certificate.serial}", world.people.charlie, court)
    assert Revocation.objects.get(certificate=certificate).reason == "privilege-withdrawn"
    made = revocations.after(0)
    assert made is not None
    assert claim(case).subject_sha256 == sha256(made.certificate)


def test_the_ledger_names_nobody(world: World, court: Court) -> None:
    case = sanctioned("bob", world.people.charlie, court)
    statement = Sanction.objects.get(case=case).statement
    said = bytes(statement.payload).decode()
    for name in ("bob", "charlie", "dora", "emil", str(case.pk), REASONS):
        assert name not in said
    ledger.integrate()
    assert "sanction for a breach of conduct" in Client().get("/ledger").content.decode()
    address = f"/ledger/statements/{statement.sha256}/statement.json"
    assert Client().get(address).content.decode() == said


@pytest.mark.parametrize("what", ["taken down", "revoked", "signer"])
def test_what_cannot_be_imposed_leaves_the_case_open(
    world: World,
    court: Court,
    first: Checkpoint,
    what: str,
    settings: Settings,
    tmp_path: Path,
) -> None:
    serial = Certificate.objects.get(subject=world.node.uri).serial
    about = f"certificate:{serial}" if what == "revoked" else first.full_name
    case = reported(about, world.people.charlie)
    there = settings.SIGNER_SOCKET
    match what:
        case "taken down":
            takedowns.take_down_checkpoint(first, Order(reason="A court.", by="system"))
        case "revoked":
            revocations.revoke(serial, Reason.SUPERSEDED)
        case _:
            settings.SIGNER_SOCKET = tmp_path / "none"
    refused = (InvalidTakedown, AlreadyRevoked, SignerError)
    with pytest.raises(refused):
        decided(case, court, sanction(case))
    settings.SIGNER_SOCKET = there
    case.refresh_from_db()
    assert case.state == State.OPEN
    assert queries.proposal(case) is not None
    assert not Sanction.objects.exists()


def test_nobody_is_suspended_whose_case_was_dismissed(world: World) -> None:
    assert not Suspension.objects.exists()
    party: Namespace = world.people.bob.namespace
    with pytest.raises(NotAccepted):
        standing.require(world.people.charlie.namespace, world.conduct)
    standing.require(party, world.conduct)
