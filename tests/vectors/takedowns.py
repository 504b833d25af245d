# SPDX-License-Identifier: Apache-2.0
"""Evidence of a checkpoint that its registry took down, and what must fail where it says so."""

from __future__ import annotations

from dataclasses import replace

from assay.signing.canonical import instant_text
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence, Part
from assay.signing.statements import Breach, TakedownClaim
from tests.signing.world import AT, FILES, TEXT, World, conduct_reference, manifest_of
from tests.vectors.mutation import Mutation, b64

TAKEDOWN = ("bundles", Part.TAKEDOWN.value)
OTHER = "ab" * 32


def takedown_vectors() -> dict[str, object]:
    """A trust root, evidence, what it is about, and mutations of it."""
    world = World.create(at=AT)
    evidence = taken_down(world, world.evidence_for_output())
    return {
        "source": "docs/spec/formats.md, section 2; a throw-away authority (tests/vectors/make.py)",
        "trust_root": world.trust.to_json(),
        "fingerprint": world.trust.fingerprint,
        "text": TEXT,
        "files": {name: b64(data) for name, data in FILES.items()},
        "as_of": instant_text(AT),
        "evidence": evidence.to_json(),
        "mutations": [
            each.to_json() for each in (*_good(world, evidence), *_wrong(world, evidence))
        ],
    }


def claim_of(evidence: Evidence) -> TakedownClaim:
    """That the checkpoint of some evidence was taken down."""
    return TakedownClaim(
        checkpoint_sha256=manifest_of(FILES).id,
        checkpoint_statement_sha256=sha256(evidence.bundles[Part.CHECKPOINT].envelope.payload),
        reason="A court forbade it.",
        taken_down_at=AT,
    )


def for_a_breach(evidence: Evidence) -> TakedownClaim:
    """The same, for a clause of its conduct policy that was broken."""
    breach = Breach(conduct=conduct_reference(), clause="coc:2.1", evidence_sha256=OTHER)
    return replace(claim_of(evidence), reason="It was made to defraud.", breach=breach)


def taken_down(
    world: World, evidence: Evidence, claim: TakedownClaim | None = None, *, by: str = "authority"
) -> Evidence:
    """The same evidence with what the registry said of it since."""
    statement = (claim or claim_of(evidence)).statement()
    bundle = world.bundle(world.sign(statement, Purpose.CONDUCT, by))
    return replace(evidence, bundles={**evidence.bundles, Part.TAKEDOWN: bundle})


def _good(world: World, evidence: Evidence) -> list[Mutation]:
    breached = taken_down(world, evidence, for_a_breach(evidence))
    return [
        Mutation(name="taken down", failed=()),
        Mutation(name="taken down", artifact="checkpoint", failed=()),
        Mutation(name="taken down, which is not said", remove=(TAKEDOWN,), failed=()),
        Mutation(name="taken down for a breach", set={TAKEDOWN: _bundle(breached)}, failed=()),
    ]


def _wrong(world: World, evidence: Evidence) -> list[Mutation]:
    claim = claim_of(evidence)
    others = {
        "another checkpoint": replace(claim, checkpoint_sha256=OTHER),
        "the same files of another project": replace(claim, checkpoint_statement_sha256=OTHER),
    }
    linked = [
        Mutation(
            name=f"{name} was taken down",
            set={TAKEDOWN: _bundle(taken_down(world, evidence, other))},
            failed=("takedown.checkpoint",),
            error="broken-link",
        )
        for name, other in others.items()
    ]
    return [
        *linked,
        Mutation(
            name="taken down by another office",
            set={TAKEDOWN: _bundle(taken_down(world, evidence, by="conduct"))},
            failed=("takedown.signer",),
            error="broken-link",
        ),
        Mutation(
            name="a conduct policy in place of the takedown",
            set={TAKEDOWN: evidence.bundles[Part.CONDUCT].to_json()},
            failed=("takedown.statement",),
            error="bad-envelope",
        ),
    ]


def _bundle(evidence: Evidence) -> dict[str, object]:
    return evidence.bundles[Part.TAKEDOWN].to_json()
