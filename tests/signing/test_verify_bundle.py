# SPDX-License-Identifier: Apache-2.0
"""One bundle for itself: eight steps, for its own purpose, by whoever may sign such a statement."""

from dataclasses import replace

import pytest

from assay.signing.certificates import Purpose
from assay.signing.errors import BrokenLink, WrongPurpose
from assay.signing.statements import AcceptanceClaim, Claim
from assay.signing.verify import verify_bundle
from tests.signing.world import (
    AT,
    DATA,
    FILES,
    NODE,
    REGISTRY,
    World,
    conduct_claim,
    conduct_reference,
    dataset_claim,
    manifest_of,
    run_claim,
)

RUN = run_claim(manifest_of(FILES), manifest_of(DATA).id, AT)
ACCEPTANCE = AcceptanceClaim(conduct=conduct_reference(), commitment="cd" * 32, accepted_at=AT)


def test_one_bundle_verifies_for_itself(world: World) -> None:
    bundle = world.evidence_for_checkpoint().bundles["conduct"]
    found = verify_bundle(bundle, basis=world.basis(), purpose=Purpose.CONDUCT)
    assert [step.code for step in found.steps] == [
        f"bundle.{name}"
        for name in (
            *("statement", "time", "signer", "sct", "revocation"),
            *("signature", "entry", "tree-head"),
        )
    ]
    assert found.parts[0].statement == conduct_claim().statement()
    with pytest.raises(WrongPurpose, match="keys for output may sign"):
        verify_bundle(bundle, basis=world.basis(), purpose=Purpose.OUTPUT)


@pytest.mark.parametrize(
    ("claim", "purpose", "signer", "stranger"),
    [
        (RUN, Purpose.NODE, f"nodes/{NODE}", "nodes/other"),
        (dataset_claim(), Purpose.CHECKPOINT, "alice", "bob"),
        (conduct_claim(), Purpose.CONDUCT, "conduct", "alice"),
        (ACCEPTANCE, Purpose.CONDUCT, "conduct", "alice"),
        (replace(ACCEPTANCE, consent="ef" * 32), Purpose.CONDUCT, "conduct", "alice"),
    ],
)
def test_one_bundle_is_held_to_whoever_may_sign_it(
    world: World, claim: Claim, purpose: Purpose, signer: str, stranger: str
) -> None:
    signed, stolen = (
        world.bundle(world.sign(claim.statement(), purpose, path)) for path in (signer, stranger)
    )
    found = verify_bundle(signed, basis=world.basis(), purpose=purpose)
    assert found.parts[0].signer == f"{REGISTRY}/{signer}"
    with pytest.raises(BrokenLink, match=f"expected the signer {REGISTRY}/{signer}, found"):
        verify_bundle(stolen, basis=world.basis(), purpose=purpose)


def test_a_bundle_of_an_unknown_kind_is_refused(world: World) -> None:
    statement = replace(conduct_claim().statement(), predicate_type="https://assay/other/v1")
    bundle = world.bundle(world.sign(statement, Purpose.CONDUCT, "conduct"))
    with pytest.raises(WrongPurpose, match="found 'https://assay/other/v1'"):
        verify_bundle(bundle, basis=world.basis(), purpose=Purpose.CONDUCT)
