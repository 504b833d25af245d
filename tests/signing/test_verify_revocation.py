# SPDX-License-Identifier: Apache-2.0
"""What was revoked counts only where witnesses prove that the signature is from before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from assay.signing import timestamps
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.cosignatures import UNSAID
from assay.signing.crls import ROOT
from assay.signing.errors import (
    BadRevocation,
    CertificateRevoked,
    NotWitnessed,
    RevocationUnknown,
    WrongIdentity,
)
from assay.signing.evidence import Evidence
from assay.signing.revocation import Reason, Revocation
from assay.signing.verify import (
    Basis,
    Examination,
    Requirements,
    Verified,
    examine_checkpoint,
    newest_seen,
    verify_bundle,
)
from assay.signing.verify.standing import TIMESTAMP_ROLES
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, FILES, LISTS_LAST, REGISTRY, World, dataset_claim, manifest_of

SECOND = timedelta(seconds=1)
SINCE = AT + timedelta(hours=2)
REVOKED_AT = AT + timedelta(hours=5)
ROLES = ("leaf", "intermediate", "timestamp leaf", "timestamp intermediate")


@pytest.fixture
def bundle(world: World) -> Bundle:
    return world.bundle(world.sign(dataset_claim().statement(), Purpose.CHECKPOINT, "alice"))


@pytest.fixture
def witnesses(world: World) -> Witnesses:
    return Witnesses(world=world)


def revoking(world: World, bundle: Bundle, role: str) -> Basis:
    """A basis whose lists revoke one certificate, with effect from before."""
    stamper = timestamps.chain(bundle.timestamp)
    issuer, certificate = {
        "leaf": (Purpose.CHECKPOINT.value, bundle.chain.leaf),
        "intermediate": (ROOT, bundle.chain.intermediate),
        "timestamp leaf": (Purpose.TIMESTAMP.value, stamper.leaf),
        "timestamp intermediate": (ROOT, stamper.intermediate),
    }[role]
    return replace(world.basis(), lists=world.lists({issuer: revocation(certificate)}))


def revocation(certificate: x509.Certificate) -> Revocation:
    return Revocation(
        serial=certificate.serial_number,
        revoked_at=REVOKED_AT,
        reason=Reason.KEY_COMPROMISE,
        invalid_from=SINCE,
    )


def asking(basis: Basis, witnesses: Witnesses) -> Basis:
    requirements = replace(basis.requirements, policy=witnesses.policy())
    return replace(basis, requirements=requirements)


def verify(bundle: Bundle, basis: Basis) -> Verified:
    return verify_bundle(bundle, basis=basis, purpose=Purpose.CHECKPOINT)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("seen_at", "is_before"), [(SINCE - SECOND, True), (SINCE, False), (SINCE + SECOND, False)]
)
def test_a_revoked_one_counts_before_the_proven_time_and_not_after(
    world: World,
    bundle: Bundle,
    witnesses: Witnesses,
    role: str,
    seen_at: datetime,
    is_before: bool,
) -> None:
    seen = witnesses.bundle(bundle, w1=AT, w2=seen_at)
    basis = asking(revoking(world, bundle, role), witnesses)
    if not is_before:
        with pytest.raises(CertificateRevoked, match=f"the {role} certificate is revoked") as found:
            verify(seen, basis)
        assert found.value.step is not None
        assert found.value.step.code == "bundle.revocation"
        return
    (part,) = verify(seen, basis).parts
    assert (part.standing.proven_at, part.standing.revoked) == (seen_at, (role,))
    assert part.signed_before == (seen_at if role in TIMESTAMP_ROLES else AT)


def test_a_verdict_knows_how_old_its_oldest_list_is(world: World, bundle: Bundle) -> None:
    (part,) = verify(bundle, world.basis()).parts
    assert part.standing.listed_at == AT
    nothing = Requirements(as_of=AT, accepts_unknown=True)
    (part,) = verify(bundle, Basis(trust=world.trust, requirements=nothing)).parts
    assert part.standing.listed_at is None


@pytest.mark.parametrize("role", ROLES)
def test_without_a_proven_time_any_revoked_one_fails(
    world: World, bundle: Bundle, witnesses: Witnesses, role: str
) -> None:
    """Nobody was asked for; then, enough saw it and did not say when."""
    seen = witnesses.bundle(bundle, w1=AT, w2=AT)
    with pytest.raises(CertificateRevoked, match="found none"):
        verify(seen, revoking(world, bundle, role))
    silent = witnesses.bundle(bundle, w1=AT, w2=UNSAID)
    with pytest.raises(CertificateRevoked, match="found none"):
        verify(silent, asking(revoking(world, bundle, role), witnesses))


def test_the_word_of_too_few_witnesses_rescues_nothing(
    world: World, bundle: Bundle, witnesses: Witnesses
) -> None:
    basis = asking(revoking(world, bundle, "leaf"), witnesses)
    with pytest.raises(CertificateRevoked, match="found none"):
        verify(witnesses.bundle(bundle, w1=AT), basis)


def test_a_witness_that_lies_about_the_time_alone_rescues_nothing(
    world: World, bundle: Bundle, witnesses: Witnesses
) -> None:
    basis = asking(revoking(world, bundle, "leaf"), witnesses)
    lying = witnesses.bundle(bundle, w1=AT, w2=REVOKED_AT, w3=REVOKED_AT)
    with pytest.raises(CertificateRevoked, match=r"found 2026-11-20T14:30:00Z"):
        verify(lying, basis)


def test_nobody_saw_an_entry_before_its_certificate_was_made(
    world: World, bundle: Bundle, witnesses: Witnesses
) -> None:
    basis = asking(revoking(world, bundle, "leaf"), witnesses)
    early = AT - SECOND
    with pytest.raises(CertificateRevoked, match="found none"):
        verify(witnesses.bundle(bundle, w1=early, w2=early), basis)


def test_a_witnessed_head_that_does_not_include_the_entry_proves_nothing(
    world: World, bundle: Bundle, witnesses: Witnesses
) -> None:
    other = world.bundle(world.sign(dataset_claim().statement(), Purpose.CHECKPOINT, "alice"))
    mixed = replace(bundle, proof=witnesses.bundle(other, w1=AT, w2=AT).proof)
    with pytest.raises(CertificateRevoked, match="found none"):
        verify(mixed, asking(revoking(world, bundle, "leaf"), witnesses))


def test_who_saw_it_is_part_of_what_was_verified(
    world: World, bundle: Bundle, witnesses: Witnesses
) -> None:
    basis = asking(world.basis(), witnesses)
    found = verify(witnesses.bundle(bundle, w1=AT, w2=AT + SECOND, w3=UNSAID), basis)
    (part,) = found.parts
    assert part.seen is not None
    assert dict(part.seen.witnesses) == {"w1": AT, "w2": AT + SECOND, "w3": None}
    assert (part.seen.since, part.standing.proven_at) == (AT + SECOND, AT + SECOND)
    assert found.steps[-1].detail.endswith("seen by w1, w2, w3 by 2026-11-20T09:30:01Z")
    silent = verify(witnesses.bundle(bundle, w1=UNSAID, w2=UNSAID), basis)
    assert silent.steps[-1].detail.endswith("seen by w1, w2")


def test_a_head_that_too_few_have_seen_fails_its_step(
    world: World, bundle: Bundle, witnesses: Witnesses
) -> None:
    with pytest.raises(NotWitnessed, match="quorum two, found w3") as found:
        verify(witnesses.bundle(bundle, w3=AT), asking(world.basis(), witnesses))
    assert found.value.step is not None
    assert (found.value.step.code, found.value.exit_code) == ("bundle.tree-head", 29)


def test_a_policy_may_demand_nobody(world: World, bundle: Bundle, witnesses: Witnesses) -> None:
    text = f"log {world.trust.verifier}\nquorum none\n"
    policy = type(witnesses.policy()).parse(text.encode())
    basis = world.basis()
    found = verify(bundle, replace(basis, requirements=replace(basis.requirements, policy=policy)))
    assert found.steps[-1].detail.endswith("seen by nobody")


def test_what_is_not_known_fails_unless_it_is_accepted(world: World, bundle: Bundle) -> None:
    basis = replace(world.basis(), lists=())
    with pytest.raises(RevocationUnknown, match="about the leaf certificate, found none"):
        verify(bundle, basis)
    accepting = replace(basis.requirements, accepts_unknown=True)
    found = verify(bundle, replace(basis, requirements=accepting))
    assert found.parts[0].standing.unknown == ROLES
    assert found.steps[4].detail.startswith("NOT KNOWN, and accepted so: leaf, intermediate")


def test_accepting_not_to_know_forgives_no_revocation(world: World, bundle: Bundle) -> None:
    basis = revoking(world, bundle, "timestamp leaf")
    # The root's and the timestamp authority's; the leaf's is missing.
    lists = (basis.lists[0], basis.lists[1 + list(Purpose).index(Purpose.TIMESTAMP)])
    accepting = replace(basis.requirements, accepts_unknown=True)
    basis = replace(basis, requirements=accepting, lists=lists)
    with pytest.raises(CertificateRevoked, match="timestamp leaf"):
        verify(bundle, basis)


def test_lists_must_reach_to_the_moment_asked_about_and_to_the_signature(
    world: World, bundle: Bundle
) -> None:
    """What was signed after the lists ended is not known, whatever moment is asked about."""
    basis = world.basis()
    late = replace(basis.requirements, as_of=AT + LISTS_LAST + SECOND)
    with pytest.raises(RevocationUnknown, match="found one for 2026-11-20T09:30:00Z to 2036"):
        verify(bundle, replace(basis, requirements=late))
    later = World.create(at=AT)
    later.root, later.issuers = world.root, world.issuers
    later.ledger_key, later.log_key = world.ledger_key, world.log_key
    later.at = AT + timedelta(days=300)
    signed = later.bundle(later.sign(dataset_claim().statement(), Purpose.CHECKPOINT, "alice"))
    old = replace(world.basis(), lists=later_lists(world))
    with pytest.raises(RevocationUnknown):
        verify(signed, old)


def later_lists(world: World) -> tuple[bytes, ...]:
    """Lists of a day before the world's present, good for two."""
    short = World.create(at=AT)
    short.root, short.issuers, short.at = world.root, world.issuers, AT - LISTS_LAST + 2 * SECOND
    return short.lists()


def test_a_list_that_is_none_is_not_passed_over(world: World, bundle: Bundle) -> None:
    basis = world.basis()
    with pytest.raises(BadRevocation, match="in DER, found other bytes"):
        verify(bundle, replace(basis, lists=(*basis.lists, b"0")))


def test_the_signer_may_be_demanded(world: World, bundle: Bundle) -> None:
    basis = world.basis()
    alice = replace(basis.requirements, signer=f"{REGISTRY}/alice")
    assert verify(bundle, replace(basis, requirements=alice)).parts[0].signer == alice.signer
    bob = replace(basis.requirements, signer=f"{REGISTRY}/bob")
    with pytest.raises(WrongIdentity, match=f"expected the signer {REGISTRY}/bob, found"):
        verify(bundle, replace(basis, requirements=bob))


def test_evidence_speaks_for_the_newest_head_that_enough_have_seen(
    world: World, witnesses: Witnesses
) -> None:
    note = world.bundle(
        world.sign(dataset_claim().statement(), Purpose.CHECKPOINT, "alice")
    ).proof.note
    stranger = World.create(at=AT)
    stranger.sign(dataset_claim().statement(), Purpose.CHECKPOINT, "alice")
    notes = [
        witnesses.note(note, w1=AT, w2=AT + SECOND),
        witnesses.note(note, w1=AT, w2=AT + 3 * SECOND, w3=AT + 2 * SECOND),
        witnesses.note(note, w1=AT + 9 * SECOND),
        witnesses.note(note, w1=AT, w2=UNSAID),
        witnesses.note(stranger.note(), w1=REVOKED_AT, w2=REVOKED_AT),
    ]
    trust, policy = world.trust, witnesses.policy()
    assert newest_seen(notes, trust=trust, policy=policy) == AT + 2 * SECOND
    with pytest.raises(NotWitnessed, match="the quorum two has seen, found none among 2"):
        newest_seen(notes[2:4], trust=trust, policy=policy)
    with pytest.raises(NotWitnessed, match="expected a policy that names witnesses, found none"):
        newest_seen(notes, trust=trust, policy=None)


def test_a_time_that_nothing_can_write_is_none(
    world: World, bundle: Bundle, witnesses: Witnesses
) -> None:
    far = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) + 1
    basis = asking(world.basis(), witnesses)
    (part,) = verify(witnesses.bundle(bundle, w1=far, w2=far), basis).parts
    assert part.standing.proven_at is None


def test_a_model_signature_is_proven_by_what_the_evidence_knows_of_it(
    world: World, witnesses: Witnesses
) -> None:
    """The file was written before any witness had seen it, and never changes."""
    evidence = witnesses.evidence(world.evidence_for_checkpoint(), w1=AT, w2=AT)
    file = world.model_signature()
    demanded = replace(world.requirements, policy=witnesses.policy())
    found = examine(evidence, world, demanded, file)
    assert [step.code for step in found.failures] == ["model.tree-head"]
    proven = witnesses.bundle(file, w1=AT, w2=AT)
    bundles = {**evidence.bundles, "model": proven}
    told = replace(evidence, bundles=bundles)
    assert examine(told, world, demanded, file).verdict().parts[-1].name == "model"
    assert examine(told, world, demanded, None).verdict().parts[-1].name == "model"
    other = world.model_signature()
    found = examine(told, world, demanded, other)
    assert [step.code for step in found.failures] == ["model.tree-head"]


def examine(
    evidence: Evidence, world: World, demanded: Requirements, signature: Bundle | None
) -> Examination:
    return examine_checkpoint(
        evidence,
        basis=Basis(trust=world.trust, requirements=demanded),
        files=manifest_of(FILES),
        signature=signature,
    )
