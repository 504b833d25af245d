# SPDX-License-Identifier: Apache-2.0
"""Who had accepted which rules, where those who signed show it: which steps, in which order.

A certificate says which version of a conduct policy its holder had accepted; by an acceptance that
is shown to be the holder's, that is no longer its word alone. What nobody here signed by, or only
before it was in the ledger, is passed over. Each other is examined once, as `acceptance-1` and on:

1. The eight steps of a signed part (`parts`): the registry's office for conduct said it.
2. `acceptance-1.opening`: it is of the party that is named; the ledger has a commitment.
3. `acceptance-1.consent`, where that is shown: a key signed the same, and the statement commits to
   that. Whose key it is, the party alone says.
4. `output.acceptance-1` or as the part is called that the party signed, of each: it is of the
   policy that this is under, and was signed before this was.

That an acceptance of the version stood when a part was signed is the registry's word, which
certified the key: that it was this one, nobody says. Withdrawals are not in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from ..acceptance import AcceptanceEvidence
from ..provenance import accepted
from ..statements import (
    AcceptanceClaim,
    BatchClaim,
    CheckpointClaim,
    ConductClaim,
    ConsentClaim,
    EvaluationClaim,
    OutputClaim,
)
from ..values import dataclass
from . import acceptancelinks
from .kinds import ACCEPTANCE
from .parts import Examined, examine
from .report import Accepted, Finding, Report
from .requirements import Basis

UnderConduct: TypeAlias = (
    Examined[OutputClaim]
    | Examined[BatchClaim]
    | Examined[CheckpointClaim]
    | Examined[EvaluationClaim]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What is under a conduct policy, and was signed by whoever had accepted a version of that."""

    name: str
    """As its steps begin: `output`, or `base-1` for that checkpoint."""
    part: UnderConduct


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An acceptance that was examined, and what its party signed by it."""

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
    report: Report,
    signed: Sequence[Signed],
    basis: Basis,
    *,
    policies: Iterable[Finding[ConductClaim]],
) -> tuple[Acceptance, ...]:
    """Examine those at hand that are of somebody who signed one of these parts, each once.

    A consent is held to the text of its version, where that is one of the `policies` at hand.
    """
    texts = {
        each.value.conduct.sha256: each.value.text_sha256
        for each in policies
        if each.value is not None
    }
    found: list[Acceptance] = []
    for evidence in _each(basis.acceptances):
        if of := _signed_under(evidence, signed):
            found.append(_examine(report, evidence, of, basis, texts, number=len(found) + 1))
    return tuple(found)


def _signed_under(evidence: AcceptanceEvidence, signed: Iterable[Signed]) -> tuple[Signed, ...]:
    """What the party signed since, by certificates that name what it accepted.

    Of one that cannot be read all that the party signed: its own step says that it cannot.
    """
    version = evidence.conduct_sha256
    return tuple(
        each
        for each in signed
        if (signer := each.part.signer.value) is not None
        and signer.known_as == evidence.opening.party
        and version in {None, accepted(each.part.bundle.get().chain.leaf)}
        and evidence.bundle.proof.index < each.part.bundle.get().proof.index
    )


def _each(at_hand: Iterable[AcceptanceEvidence]) -> Iterable[AcceptanceEvidence]:
    """Each once, whatever else is shown with it: the first counts."""
    found: dict[str, AcceptanceEvidence] = {}
    for each in at_hand:
        found.setdefault(each.entry_sha256, each)
    return found.values()


def _examine(
    report: Report,
    evidence: AcceptanceEvidence,
    signed: tuple[Signed, ...],
    basis: Basis,
    texts: Mapping[str, str],
    *,
    number: int,
) -> Acceptance:
    kind = replace(ACCEPTANCE, part=f"{ACCEPTANCE.part}-{number}")
    lists = tuple(dict.fromkeys((*basis.lists, *evidence.lists)))
    own = replace(basis, lists=lists, witnesses=evidence.witnesses)
    examined = examine(report, kind, evidence.bundle, own)  # 1
    party = report.check(  # 2
        f"{kind.part}.opening",
        "The acceptance is of the party that is named",
        lambda: acceptancelinks.opening(examined.claim.get(), evidence.opening),
    )
    consent: Finding[ConsentClaim] = Finding(None)
    if (shown := evidence.consent) is not None:
        consent = report.check(  # 3
            f"{kind.part}.consent",
            "The acceptance commits to what this key signed, which says the same",
            lambda: acceptancelinks.consent(examined.claim.get(), evidence.opening, shown, texts),
        )
    for each in signed:  # 4
        _link(report, each, examined, party)
    return Acceptance(
        evidence=evidence,
        examined=examined,
        consent=consent,
        of=tuple(each.name for each in signed),
    )


def _link(
    report: Report, signed: Signed, acceptance: Examined[AcceptanceClaim], party: Finding[str]
) -> None:
    part = signed.part
    report.check(
        f"{signed.name}.{acceptance.kind.part}",
        f"Whoever signed the {part.kind.noun} had accepted a version of its policy before",
        lambda: acceptancelinks.before(
            acceptance.claim.get(),
            party.get(),
            part.claim.get().conduct,
            entry=acceptance.bundle.get().proof.index,
            accepted_by=acceptance.signed_at.get(),
            signed_by=part.signed_at.get(),
        ),
    )
