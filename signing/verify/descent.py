# SPDX-License-Identifier: Apache-2.0
"""What a walk comes to beyond an artifact's own evidence, as far as it is at hand.

The checkpoints that a run continued from, each examined as a checkpoint is, and who had accepted
the rules of all of it. A run names the manifest of the checkpoint that it started with. Which
evidence is about that one is found by the same digest, and each is held to it again by its own
steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..errors import Step
from ..evidence import Evidence
from ..values import dataclass
from .accepted import Acceptance, Signed, examine_accepted
from .below import Below, examine_below, link_below
from .opening import opening
from .report import Report, Verified
from .requirements import Basis
from .tree import BASE

MAX_BASES = 64  # each takes as many signatures to check as the artifact itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One of them, with the steps that were taken about it."""

    name: str
    """As its steps begin: `base-1`."""
    below: Below
    steps: tuple[Step, ...]

    def verified(self) -> Verified:
        """What was established, if every step passed."""
        return self.below.verified("checkpoint", self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """All that a walk came to."""

    bases: tuple[Base, ...]
    acceptances: tuple[Acceptance, ...]

    def added_to(self, found: Verified) -> Verified:
        """What was established of the artifact, and of each of these."""
        if not self.acceptances and not self.bases:
            return found
        return replace(
            found,
            bases=tuple(each.verified() for each in self.bases),
            acceptances=tuple(each.verified() for each in self.acceptances),
        )


def walk_on(report: Report, below: Below, basis: Basis, *above: Signed) -> Walked:
    """Examine what the run continued from, what that one's run did, and so on; then acceptances.

    `above` is what stands above the checkpoint, and was signed for itself.
    """
    bases = _descend(report, below, basis)
    own = Signed(name=below.checkpoint.kind.part, part=below.checkpoint)
    continued = (Signed(name=each.name, part=each.below.checkpoint) for each in bases)
    policies = (below.conduct.claim, *(each.below.conduct.claim for each in bases))
    signed = (*above, own, *continued)
    acceptances = examine_accepted(report, signed, basis, policies=policies)
    return Walked(bases=bases, acceptances=acceptances)


def heads(basis: Basis) -> Mapping[str, str]:
    """The tree heads of all that is at hand for a walk, by what they prove."""
    of_bases = {
        f"{name} of checkpoint {each.manifest.id[:12]}": bundle.proof.note
        for each in basis.bases
        for name, bundle in each.bundles.items()
    }
    of_acceptances = {
        f"acceptance {number} at hand": each.bundle.proof.note
        for number, each in enumerate(basis.acceptances, start=1)
    }
    return {**of_bases, **of_acceptances}


def _descend(report: Report, below: Below, basis: Basis) -> tuple[Base, ...]:
    at_hand = {each.manifest.id: each for each in basis.bases}
    found: list[Base] = []
    while (parent := _parent(below)) in at_hand and len(found) < MAX_BASES:
        assert parent is not None  # noqa: S101 - None is no key of a mapping of digests
        base = _examine(report, at_hand.pop(parent), basis, number=len(found) + 1)
        found.append(base)
        below = base.below
    return tuple(found)


def _parent(below: Below) -> str | None:
    """What the run says that it continued from, whether or not all about it holds."""
    claim = None if below.run is None else below.run.claim.value
    return None if claim is None else claim.parent_sha256


def _examine(report: Report, evidence: Evidence, basis: Basis, *, number: int) -> Base:
    own = Report()
    basis = opening(own, evidence, replace(basis, parties={}))
    below = examine_below(own, evidence, basis)
    link_below(own, below)
    name = f"{BASE}{number}"
    return Base(name=name, below=below, steps=report.adopt(own.steps, name))
