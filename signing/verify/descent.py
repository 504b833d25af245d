# SPDX-License-Identifier: Apache-2.0
"""What a walk comes to beyond an artifact's own evidence, as far as it is at hand.

Who had accepted its rules, and the checkpoints that a run continued from, each examined as a
checkpoint is. A run names the manifest of the checkpoint that it started with. Which evidence is
about that one is found by the same digest, and each is held to it again by its own steps.
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
from .report import Accepted, Report, Verified
from .requirements import Basis
from .tree import BASE

MAX_BASES = 64  # each takes as many signatures to check as the artifact itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One of them, with the steps that were taken about it."""

    below: Below
    acceptances: tuple[Acceptance, ...]
    steps: tuple[Step, ...]

    def verified(self) -> Verified:
        """What was established, if every step passed."""
        found = self.below.verified("checkpoint", self.steps)
        return replace(found, acceptances=_verified(self.acceptances))


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """All that a walk came to."""

    acceptances: tuple[Acceptance, ...]
    bases: tuple[Base, ...]

    def added_to(self, found: Verified) -> Verified:
        """What was established of the artifact, and of each of these."""
        if not self.acceptances and not self.bases:
            return found
        bases = tuple(each.verified() for each in self.bases)
        return replace(found, acceptances=_verified(self.acceptances), bases=bases)


def walk_on(
    report: Report, below: Below, basis: Basis, *, above: tuple[Signed, ...] = ()
) -> Walked:
    """Examine the acceptances, then what the run continued from, and so on.

    `above` is what stands above the checkpoint, and was signed for itself.
    """
    acceptances = examine_accepted(report, (*above, below.checkpoint), basis)
    return Walked(acceptances=acceptances, bases=_descend(report, below, basis))


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
    acceptances = examine_accepted(own, (below.checkpoint,), basis)
    steps = report.adopt(own.steps, f"{BASE}{number}")
    return Base(below=below, acceptances=acceptances, steps=steps)


def _verified(acceptances: tuple[Acceptance, ...]) -> tuple[Accepted, ...]:
    return tuple(each.verified() for each in acceptances)
