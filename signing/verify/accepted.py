# SPDX-License-Identifier: Apache-2.0
"""Who had accepted which rules, where those who signed show it: which steps, in which order.

A certificate says which version of a conduct policy its holder had accepted; by the acceptance that
is shown to be the holder's, that is no longer its word alone. What nobody here signed by, or only
before it was in the ledger, is passed over. Of each other, `acceptance-1` and so on:

1. The eight steps of a signed part (`parts`): the registry's office for conduct said it.
2. `acceptance-1.opening`: it is of the party that is named; the ledger has a commitment.
3. `acceptance-1.consent`, where that is shown: the party's own key signed the same.
4. `output.acceptance-1` or as the part is called that the party signed, of each: it is of the
   policy that this is under, and was signed before this was.

That it had not been withdrawn by then is the registry's word: it certified the key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from ..acceptance import AcceptanceEvidence
from ..provenance import accepted
from ..statements import (
    AcceptanceClaim,
    BatchClaim,
    CheckpointClaim,
    ConsentClaim,
    EvaluationClaim,
    OutputClaim,
)
from ..values import dataclass
from . import links
from .kinds import ACCEPTANCE
from .parts import Examined, examine
from .report import Accepted, Finding, Report
from .requirements import Basis

Signed: TypeAlias = (
    Examined[OutputClaim]
    | Examined[BatchClaim]
    | Examined[CheckpointClaim]
    | Examined[EvaluationClaim]
)
"""What is under a conduct policy, and was signed by whoever had accepted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An acceptance, with the steps that were taken about it."""

    evidence: AcceptanceEvidence
    examined: Examined[AcceptanceClaim]
    consent: Finding[ConsentClaim]
    of: tuple[str, ...]

    def verified(self) -> Accepted:
        """What was established, if every step passed."""
        return Accepted(
            evidence=self.evidence,
            party=self.evidence.opening.party,
            claim=self.examined.claim.get(),
            consent=self.consent.value,
            of=self.of,
            part=self.examined.signed(),
        )


def examine_accepted(
    report: Report, signed: Iterable[Signed], basis: Basis
) -> tuple[Acceptance, ...]:
    """Examine those at hand that are of somebody who signed one of these parts."""
    parts = tuple(signed)
    found: list[Acceptance] = []
    for evidence in basis.acceptances:
        if of := _signed_under(evidence, parts):
            found.append(_examine(report, evidence, of, basis, number=len(found) + 1))
    return tuple(found)


def _signed_under(evidence: AcceptanceEvidence, parts: Iterable[Signed]) -> tuple[Signed, ...]:
    """What the party signed since, by certificates that name what it accepted.

    Of one that cannot be read all that the party signed: its own step says that it cannot.
    """
    version = evidence.conduct_sha256
    return tuple(
        part
        for part in parts
        if (signer := part.signer.value) is not None
        and signer.known_as == evidence.opening.party
        and version in {None, accepted(part.bundle.get().chain.leaf)}
        and evidence.bundle.proof.index < part.bundle.get().proof.index
    )


def _examine(
    report: Report,
    evidence: AcceptanceEvidence,
    signed: tuple[Signed, ...],
    basis: Basis,
    *,
    number: int,
) -> Acceptance:
    kind = replace(ACCEPTANCE, part=f"{ACCEPTANCE.part}-{number}")
    own = replace(basis, witnesses=evidence.witnesses)
    examined = examine(report, kind, evidence.bundle, own)  # 1
    party = report.check(  # 2
        f"{kind.part}.opening",
        "The acceptance is of the party that is named",
        lambda: links.acceptance_opening(examined.claim.get(), evidence.opening),
    )
    consent: Finding[ConsentClaim] = Finding(None)
    if (shown := evidence.consent) is not None:
        consent = report.check(  # 3
            f"{kind.part}.consent",
            "The party accepted it with a key of its own",
            lambda: links.acceptance_consent(examined.claim.get(), evidence.opening, shown),
        )
    for part in signed:  # 4
        _link(report, part, examined, party)
    return Acceptance(
        evidence=evidence,
        examined=examined,
        consent=consent,
        of=tuple(part.kind.part for part in signed),
    )


def _link(
    report: Report, part: Signed, acceptance: Examined[AcceptanceClaim], party: Finding[str]
) -> None:
    report.check(
        f"{part.kind.part}.{acceptance.kind.part}",
        f"Whoever signed the {part.kind.noun} had accepted its rules before",
        lambda: links.acceptance(
            acceptance.claim.get(),
            party.get(),
            part.claim.get().conduct,
            entry=acceptance.bundle.get().proof.index,
            accepted_by=acceptance.signed_at.get(),
            signed_by=part.signed_at.get(),
        ),
    )
