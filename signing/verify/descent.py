# SPDX-License-Identifier: Apache-2.0
"""The checkpoints that a run continued from, each examined as a checkpoint is, as far as at hand.

A run names the manifest of the checkpoint that it started with. Which evidence is about that one is
found by the same digest, and each is held to it again by its own steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..errors import Step
from ..evidence import Evidence
from ..values import dataclass
from .below import Below, examine_below, link_below
from .opening import opening
from .report import Report, Verified
from .requirements import Basis
from .tree import BASE

MAX_BASES = 64  # each takes as many signatures to check as the artifact itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """One of them, with the steps that were taken about it."""

    below: Below
    steps: tuple[Step, ...]

    def verified(self) -> Verified:
        """What was established, if every step passed."""
        return self.below.verified("checkpoint", self.steps)


def descend(report: Report, below: Below, basis: Basis) -> tuple[Base, ...]:
    """Examine what the run continued from, what that one's run did, and so on."""
    at_hand = {each.manifest.id: each for each in basis.bases}
    found: list[Base] = []
    while (parent := _parent(below)) in at_hand and len(found) < MAX_BASES:
        assert parent is not None  # noqa: S101 - None is no key of a mapping of digests
        base = _examine(report, at_hand.pop(parent), basis, number=len(found) + 1)
        found.append(base)
        below = base.below
    return tuple(found)


def with_bases(found: Verified, bases: Iterable[Base]) -> Verified:
    """What was established of the artifact, and of each of these."""
    verified = tuple(each.verified() for each in bases)
    return replace(found, bases=verified) if verified else found


def heads(bases: Iterable[Evidence]) -> dict[str, str]:
    """The tree heads of those at hand, by what they prove."""
    return {
        f"{name} of checkpoint {each.manifest.id[:12]}": bundle.proof.note
        for each in bases
        for name, bundle in each.bundles.items()
    }


def _parent(below: Below) -> str | None:
    """What the run says that it continued from, whether or not all about it holds."""
    claim = None if below.run is None else below.run.claim.value
    return None if claim is None else claim.parent_sha256


def _examine(report: Report, evidence: Evidence, basis: Basis, *, number: int) -> Base:
    own = Report()
    basis = opening(own, evidence, replace(basis, parties={}))
    below = examine_below(own, evidence, basis)
    link_below(own, below)
    return Base(below=below, steps=report.adopt(own.steps, f"{BASE}{number}"))
