# SPDX-License-Identifier: Apache-2.0
"""Leaf, intermediate and root, each signed with before, inside and after its validity: 27 cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from assay.signing.certificates import Chain, Issuer, Purpose
from assay.signing.errors import UntrustedChain
from assay.signing.verify import verify_bundle
from tests.signing import leaves
from tests.signing.forge import Change, forge
from tests.signing.world import AT, World, dataset_claim

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
WINDOWS = {
    "before": Change(not_before=AT + SECOND, not_after=AT + DAY),
    "inside": Change(not_before=AT - DAY, not_after=AT + DAY),
    "after": Change(not_before=AT - DAY, not_after=AT - SECOND),
}


def made(leaf: str, intermediate: str, root: str) -> World:
    """A registry whose signature of `AT` stands so in the validity of its three certificates."""
    world = World.create(at=AT)
    key, chain = world.leaf(Purpose.CHECKPOINT, f"{world.registry}/alice")
    above = world.issuers[Purpose.CHECKPOINT]
    world.root = Issuer(
        certificate=forge(world.root.certificate, world.root, WINDOWS[root]), key=world.root.key
    )
    middle = forge(above.certificate, world.root, WINDOWS[intermediate])
    world.issuers[Purpose.CHECKPOINT] = Issuer(certificate=middle, key=above.key)
    issuer = world.issuers[Purpose.CHECKPOINT]
    end = leaves.logged(forge(chain.leaf, issuer, WINDOWS[leaf]), issuer, log=world.log_key, at=AT)
    subject = (Purpose.CHECKPOINT, f"{world.registry}/alice")
    world.leaves[subject] = key, Chain(leaf=end, intermediate=middle)
    return world


@pytest.mark.parametrize(("leaf", "intermediate", "root"), list(product(WINDOWS, repeat=3)))
def test_a_signature_counts_inside_the_validity_of_all_three(
    leaf: str, intermediate: str, root: str
) -> None:
    world = made(leaf, intermediate, root)
    bundle = world.bundle(world.sign(dataset_claim().statement(), Purpose.CHECKPOINT, "alice"))
    basis = world.basis()
    if (leaf, intermediate, root) == ("inside", "inside", "inside"):
        verify_bundle(bundle, basis=basis, purpose=Purpose.CHECKPOINT)
        return
    with pytest.raises(UntrustedChain) as refused:
        verify_bundle(bundle, basis=basis, purpose=Purpose.CHECKPOINT)
    assert refused.value.step is not None
    # The root stands behind the timestamp too, whose step is the one before.
    expected = "bundle.signer" if root == "inside" else "bundle.time"
    assert refused.value.step.code == expected


def test_that_it_is_over_now_changes_nothing_for_what_was_signed_inside() -> None:
    world = made("inside", "inside", "inside")
    bundle = world.bundle(world.sign(dataset_claim().statement(), Purpose.CHECKPOINT, "alice"))
    later = replace(world.requirements, as_of=AT + 30 * DAY)
    basis = replace(world.basis(), requirements=later)
    verify_bundle(bundle, basis=basis, purpose=Purpose.CHECKPOINT)
