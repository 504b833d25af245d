# SPDX-License-Identifier: Apache-2.0
"""Evidence names the witnesses whose lines it brings, and every line is held to them (ADR 0035)."""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from assay.signing import cosignatures, treehead
from assay.signing.cosignatures import Witness
from assay.signing.evidence import Evidence
from assay.signing.tlog import Policy
from assay.signing.verify import Basis, examine_checkpoint
from tests.signing.witnesses import Witnesses
from tests.signing.world import World
from tests.vectors.witnessed import with_flipped


def failing(world: World, evidence: Evidence, policy: Policy | None = None) -> set[str]:
    basis = Basis(trust=world.trust, requirements=replace(world.requirements, policy=policy))
    found = examine_checkpoint(evidence, basis=basis, files=None)
    return {step.code.partition(".")[2] for step in found.failures}


def test_a_witness_that_the_policy_names_need_not_be_named_beside(world: World) -> None:
    witnesses = Witnesses(world=world)
    evidence = witnesses.named(world.evidence_for_upload(), w1=world.at, w2=world.at)
    one = replace(evidence, witnesses=evidence.witnesses[:1])
    assert failing(world, one) == {"tree-head"}
    assert failing(world, one, witnesses.policy()) == set()


def test_a_changed_line_by_ml_dsa_44_is_refused_too(world: World) -> None:
    """Here; a browser, which has no ML-DSA, passes over the signature and looks at the name."""
    key = MLDSA44PrivateKey.generate()
    evidence = world.evidence_for_upload()
    conduct = evidence.bundles["conduct"]
    note = conduct.proof.note
    line = cosignatures.cosign(treehead.parse(note), key, name="w.test", at=1)
    witness = Witness(name="w.test", public_key=key.public_key())

    def under(changed: str) -> Evidence:
        bundle = replace(conduct, proof=replace(conduct.proof, note=changed))
        bundles = {**evidence.bundles, "conduct": bundle}
        return replace(evidence, bundles=bundles, witnesses=(witness,))

    assert failing(world, under(note + line)) == set()
    assert failing(world, under(with_flipped(note + line, 0, 1_000))) == {"tree-head"}
