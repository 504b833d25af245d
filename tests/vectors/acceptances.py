# SPDX-License-Identifier: Apache-2.0
"""Acceptances beside what their parties signed: which count, which are passed over, what fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.canonical import instant_text
from assay.signing.certificates import Purpose
from assay.signing.envelope import sign
from assay.signing.errors import Outcome
from assay.signing.evidence import Evidence, Part
from assay.signing.keys import Curve, SoftwareKey, spki
from assay.signing.pseudonyms import PartyOpening
from assay.signing.revocation import Reason, Revocation
from assay.signing.statements import Consent, ConsentClaim
from assay.signing.tlog import Proof
from assay.signing.trust import TrustRoot
from assay.signing.verify import (
    Basis,
    Examination,
    Requirements,
    examine_batched,
    examine_checkpoint,
    examine_evaluation,
    examine_output,
)
from tests.signing.accepting import SALT, Accepting, accepted, consent_claim
from tests.signing.batching import evidence_for_batch, proof_of
from tests.signing.descending import lineage, output_of
from tests.signing.evaluating import evidence_for_evaluation
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, World, conduct_reference

SHOWN = 1  # of the outputs of the batch
BROKEN, REVOKED = "broken-link", "certificate-revoked"
ALICE, BOTH = "alice", ("output.acceptance-1", "checkpoint.acceptance-1")
Shown = Mapping[str, AcceptanceEvidence]


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What is verified, with which acceptances and bases at hand, and what comes of it."""

    name: str
    of: str = "output"
    acceptances: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    count: tuple[tuple[str, ...], ...] = ()
    """Of each that is examined, what its party signed by it."""
    failed: tuple[str, ...] = ()
    error: str = ""


def acceptance_vectors() -> dict[str, object]:
    """Evidence and acceptances by their names, and what is verified of them."""
    world = World.create(at=AT, salt=bytes(reversed(SALT)))
    before = _before(world)
    evidence, proof = _evidence(world)
    size = evidence["output"].bundles[Part.OUTPUT].proof.size
    shown = {**before, **_after(world, before, size)}
    return {
        "source": "docs/spec/formats.md, section 6; a throw-away authority (tests/vectors/make.py)",
        "trust_root": world.trust.to_json(),
        "as_of": instant_text(AT),
        "proof": proof,
        "evidence": {name: each.to_json() for name, each in evidence.items()},
        "acceptances": {name: each.to_json() for name, each in shown.items()},
        "showings": [_to_json(world.trust, proof, evidence, shown, each) for each in _showings()],
        "refused": [
            {"why": why, "says": says, "acceptance": value}
            for why, says, value in _refused(before["with a key"])
        ],
    }


def _before(world: World) -> dict[str, AcceptanceEvidence]:
    """What is in the ledger before anything was signed by it."""
    key, claim = SoftwareKey.generate(), consent_claim(world)
    consent = Consent.by(key, claim)
    of_another = replace(claim, party=f"{world.registry}/bob")
    other = replace(conduct_reference(), version="1.1", sha256="ab" * 32)
    named = replace(conduct_reference(), id="another-policy")
    plain = accepted(world)
    keyed = accepted(world, Accepting(consent=consent))
    bob = accepted(world, Accepting(party="bob"))
    later = AT + timedelta(minutes=1)
    return {
        ALICE: plain,
        "bob": bob,
        "carol": accepted(world, Accepting(party="carol")),
        "with a key": keyed,
        "whose consent is not shown": replace(keyed, consent=None),
        "with a consent that was not given": replace(plain, consent=consent),
        "with a consent of another key": replace(
            keyed, consent=Consent.by(SoftwareKey.generate(), claim)
        ),
        "with a consent that nobody signed": accepted(
            world, Accepting(consent=_unsigned(key, claim))
        ),
        "with a consent on P-384": accepted(world, Accepting(consent=_wide(claim))),
        "with a consent of another party": accepted(
            world, Accepting(consent=Consent.by(key, of_another))
        ),
        "with a consent to another version": accepted(
            world, Accepting(consent=Consent.by(key, replace(claim, conduct=other)))
        ),
        "with a consent to another text": accepted(
            world, Accepting(consent=Consent.by(key, replace(claim, text_sha256="ab" * 32)))
        ),
        "said to be of tomorrow": accepted(world, Accepting(says=AT + timedelta(days=1))),
        "of another version": accepted(world, Accepting(conduct=other)),
        "of a policy of another name": accepted(world, Accepting(conduct=named)),
        "with another salt": replace(
            plain, opening=PartyOpening(party=plain.opening.party, salt=bytes(32))
        ),
        "of bob, in the name of alice": replace(bob, opening=plain.opening),
        "by alice herself": accepted(world, Accepting(office=(Purpose.CHECKPOINT, world.alice))),
        "stamped a minute later": accepted(world, Accepting(stamped_at=later)),
    }


def _evidence(world: World) -> tuple[dict[str, Evidence], str]:
    (base,) = lineage(world, 1)
    batch = evidence_for_batch(world)
    found = {
        "output": output_of(world, base),
        "base": base,
        "batch": batch,
        "evaluation": evidence_for_evaluation(world),
    }
    unopened = {"output without openings": replace(found["output"], openings=())}
    return {**found, **unopened}, proof_of(world, batch, SHOWN).text()


def _after(world: World, before: Shown, size: int) -> dict[str, AcceptanceEvidence]:
    """What is in the ledger afterwards, or was changed."""
    plain = before[ALICE]
    bundle = plain.bundle
    conduct = world.evidence_for_checkpoint().bundles[Part.CONDUCT]
    flipped = bytearray(bundle.envelope.signature)
    flipped[-1] ^= 1
    office = Revocation(
        serial=bundle.chain.leaf.serial_number,
        revoked_at=AT - timedelta(hours=1),
        reason=Reason.KEY_COMPROMISE,
    )
    entries = list(world.entries)
    world.entries[:] = [bytes(32), *entries[1:size]]
    forked = replace(bundle, proof=replace(bundle.proof, note=world.note(), size=size))
    world.entries[:] = entries
    witnesses = Witnesses(world=world)
    envelope = replace(bundle.envelope, signature=bytes(flipped))
    return {
        "afterwards": accepted(world, Accepting(salt=bytes([7]) * 32)),
        "that is no acceptance": replace(
            plain, bundle=replace(bundle, envelope=conduct.envelope, chain=conduct.chain)
        ),
        "with another signature": replace(plain, bundle=replace(bundle, envelope=envelope)),
        "under a head of another history": replace(plain, bundle=forked),
        "whose witnesses it names": replace(
            plain,
            bundle=witnesses.bundle(bundle, w1=AT),
            witnesses=tuple(each for name, each in witnesses.each().items() if name == "w1"),
        ),
        "with a line of a witness that it does not name": replace(
            plain,
            bundle=witnesses.bundle(bundle, w1=AT),
            witnesses=tuple(each for name, each in witnesses.each().items() if name == "w2"),
        ),
        "whose office was revoked": replace(
            plain, lists=tuple(world.lists({Purpose.CONDUCT.value: office}))
        ),
    }


def _unsigned(key: SoftwareKey, claim: ConsentClaim) -> Consent:
    consent = Consent.by(key, claim)
    other = sign(b"another payload", key)
    return replace(consent, envelope=replace(consent.envelope, signature=other.signature))


def _wide(claim: ConsentClaim) -> Consent:
    consent = Consent.by(SoftwareKey.generate(), claim)
    return replace(consent, key=spki(SoftwareKey.generate(Curve.P384).public_key))


def _showings() -> Sequence[Showing]:
    both = ("output", "checkpoint")

    def fails(name: str, *failed: str, error: str) -> Showing:
        return Showing(name=name, acceptances=(name,), count=(both,), failed=failed, error=error)

    consent = "acceptance-1.consent"
    return (
        Showing(name="none is at hand"),
        Showing(name=ALICE, acceptances=(ALICE,), count=(both,)),
        Showing(name="with a key", acceptances=("with a key",), count=(both,)),
        Showing(
            name="whose consent is not shown",
            acceptances=("whose consent is not shown",),
            count=(both,),
        ),
        Showing(
            name="whose witnesses it names",
            acceptances=("whose witnesses it names",),
            count=(both,),
        ),
        Showing(
            name="two of one party",
            acceptances=(ALICE, "with a key"),
            count=(both, both),
        ),
        Showing(
            name="one twice, with more and with less shown of it",
            acceptances=("whose consent is not shown", "with a key"),
            count=(both,),
        ),
        Showing(name="of somebody who signed nothing", acceptances=("carol",)),
        Showing(name="of another version", acceptances=("of another version",)),
        Showing(name="afterwards", acceptances=("afterwards",)),
        Showing(
            name="those that nobody signed by take no number",
            acceptances=("carol", "afterwards", ALICE),
            count=(both,),
        ),
        Showing(
            name="of a checkpoint",
            of="base",
            acceptances=(ALICE, "bob"),
            count=(("checkpoint",),),
        ),
        Showing(
            name="of an evaluation, which is another's",
            of="evaluation",
            acceptances=(ALICE, "bob"),
            count=(("checkpoint",), ("evaluation",)),
        ),
        Showing(
            name="of a batch, which is another's",
            of="batch",
            acceptances=("bob", ALICE),
            count=(("batch",), ("checkpoint",)),
        ),
        Showing(
            name="of a base, too",
            acceptances=(ALICE,),
            bases=("base",),
            count=((*both, "base-1"),),
        ),
        Showing(
            name="of somebody whom no opening names",
            of="output without openings",
            acceptances=(ALICE,),
            failed=("checkpoint.signer", "dataset.signer"),
            error=BROKEN,
        ),
        fails("with a consent that was not given", consent, error=BROKEN),
        fails("with a consent of another key", consent, error=BROKEN),
        fails("with a consent that nobody signed", consent, error="bad-signature"),
        fails("with a consent on P-384", consent, error="bad-signature"),
        fails("with a consent of another party", consent, error=BROKEN),
        fails("with a consent to another version", consent, error=BROKEN),
        fails("with a consent to another text", consent, error=BROKEN),
        fails("said to be of tomorrow", *BOTH, error=BROKEN),
        fails("of a policy of another name", *BOTH, error=BROKEN),
        fails(
            "with a line of a witness that it does not name",
            "acceptance-1.tree-head",
            error="bad-tree-head",
        ),
        fails("with another salt", "acceptance-1.opening", error="wrong-opening"),
        fails("of bob, in the name of alice", "acceptance-1.opening", error="wrong-opening"),
        fails("by alice herself", "acceptance-1.signer", error="wrong-purpose"),
        fails("stamped a minute later", *BOTH, error=BROKEN),
        fails(
            "that is no acceptance",
            "acceptance-1.statement",
            "acceptance-1.time",
            "acceptance-1.entry",
            error="bad-envelope",
        ),
        fails(
            "with another signature",
            "acceptance-1.time",
            "acceptance-1.signature",
            "acceptance-1.entry",
            error="bad-timestamp",
        ),
        fails(
            "under a head of another history",
            "heads",
            "acceptance-1.entry",
            "acceptance-1.tree-head",
            error="ledger-forked",
        ),
        fails("whose office was revoked", "acceptance-1.revocation", error=REVOKED),
    )


def judged(
    trust: TrustRoot,
    proof: str,
    evidence: Mapping[str, Evidence],
    shown: Shown,
    showing: Showing,
) -> Examination:
    """As a verifier judges it."""
    basis = Basis(
        trust=trust,
        requirements=Requirements(as_of=AT),
        acceptances=tuple(shown[name] for name in showing.acceptances),
        bases=tuple(evidence[name] for name in showing.bases),
    )
    of = evidence[showing.of]
    if Part.OUTPUT in of.bundles:
        return examine_output(of, basis=basis, content=None)
    if Part.BATCH in of.bundles:
        return examine_batched(of, Proof.parse(proof), basis=basis, content=None)
    if Part.EVALUATION in of.bundles:
        return examine_evaluation(of, basis=basis)
    return examine_checkpoint(of, basis=basis, files=None)


def about_acceptances(found: Examination) -> list[list[str]]:
    """The steps that are about them, and what those that passed say."""
    return [
        [step.code, step.title, step.detail if step.outcome is Outcome.PASSED else ""]
        for step in found.steps
        if "acceptance-" in step.code
    ]


def _to_json(
    trust: TrustRoot, proof: str, evidence: Mapping[str, Evidence], shown: Shown, showing: Showing
) -> dict[str, object]:
    stated: dict[str, object] = {
        "name": showing.name,
        "of": showing.of,
        "acceptances": list(showing.acceptances),
        "bases": list(showing.bases),
        "count": [list(each) for each in showing.count],
        "failed": list(showing.failed),
        "error": showing.error,
    }
    found = judged(trust, proof, evidence, shown, showing)
    return {
        **{name: value for name, value in stated.items() if value},
        "said": about_acceptances(found),
    }


def _refused(of: AcceptanceEvidence) -> list[tuple[str, str, object]]:
    """What is no evidence of an acceptance, and what is said of it."""
    good = of.to_json()

    def without(name: str) -> dict[str, object]:
        return {field: value for field, value in good.items() if field != name}

    return [
        ("a list", "acceptance", [good]),
        ("another type", "type", {**good, "type": "https://assay/acceptance/v1"}),
        ("no bundle", "bundle", without("bundle")),
        ("a bundle that is none", "bundle", {**good, "bundle": {}}),
        ("nobody", "party", without("party")),
        ("no salt", "salt", without("salt")),
        ("a salt that is too short", "salt", {**good, "salt": "00"}),
        ("a consent that is none", "consent", {**good, "consent": {"key": ""}}),
        ("a consent with more", "no such field", {**good, "consent": {**_of(good), "more": 1}}),
        ("lists that are none", "revocation_lists", {**good, "revocation_lists": ["!"]}),
        ("witnesses that are none", "witness", {**good, "witnesses": ["w1"]}),
        ("a field more", "no such field", {**good, "more": 1}),
    ]


def _of(good: Mapping[str, object]) -> dict[str, object]:
    consent = good["consent"]
    assert isinstance(consent, Mapping)
    return dict(consent)
