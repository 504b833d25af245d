# SPDX-License-Identifier: Apache-2.0
"""How a signed output stands today: whether what it rests on was revoked since, and from when.

It is judged by the library that everybody verifies with, on the evidence that everybody gets. Who
asks the registry gets its word; whoever wants to know verifies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.utils import timezone

from assay.signing.canonical import instant_text
from assay.signing.errors import CertificateRevoked, RevocationUnknown, VerificationError
from assay.signing.evidence import Evidence
from assay.signing.verify import Basis, Examination, Requirements, SignedPart, examine_output
from registry.authority import queries as authority
from registry.conduct import queries as conduct
from registry.ledger import cosigned

from . import queries
from .models import Output


class State(StrEnum):
    """What became of it."""

    GOOD = "good"
    REVOKED_SINCE = "revoked-since"
    """A certificate was revoked, but the signature is proven to be from before."""
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    """No list at hand is current."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stands, and in words."""

    state: State
    says: str
    proven_before: datetime | None = None
    withdrawn_at: datetime | None = None
    """Since when its caller accepts these rules no more: that ends nothing that was signed."""

    def to_json(self) -> dict[str, object]:
        """As the API says it."""
        return {
            "state": self.state.value,
            "says": self.says,
            "proven_before": _text(self.proven_before),
            "acceptance_withdrawn_at": _text(self.withdrawn_at),
        }


def with_answer(output: Output) -> dict[str, object]:
    """What the API answers about an output, and of a signed one how it stands."""
    answer = queries.answer(output)
    found = of_output(output)
    return answer if found is None else {**answer, "standing": found.to_json()}


def of_output(output: Output) -> Standing | None:
    """How an output stands now; None before it is signed, or where its checkpoint's owner left."""
    if output.state != queries.State.SIGNED or not queries.stands(output):
        return None
    found = of(queries.evidence(output), now=timezone.now())
    withdrawn_at = conduct.withdrawn_at(output.caller, output.checkpoint.conduct)
    return replace(found, withdrawn_at=withdrawn_at)


def of(evidence: Evidence, *, now: datetime) -> Standing:
    """How an output stands by its own evidence; of witnesses, by the registry's own policy."""
    required = Requirements(as_of=now, policy=cosigned.policy())
    basis = Basis(trust=authority.trust_root(), requirements=required)
    examined = examine_output(evidence, basis=basis, content=None)
    for kind, state in ((CertificateRevoked, State.REVOKED), (RevocationUnknown, State.UNKNOWN)):
        if (failure := _failure(examined, kind)) is not None:
            return Standing(state=state, says=str(failure))
    # What no witness has seen yet stands, too: nothing of it was revoked.
    parts = () if examined.failures else examined.verdict().parts
    revoked = [part for part in parts if part.standing.revoked]
    proven = parts[0].standing.proven_at if parts else None
    if not revoked:
        return Standing(state=State.GOOD, says="nothing was revoked", proven_before=proven)
    said = "; ".join(_in_words(part) for part in revoked)
    return Standing(state=State.REVOKED_SINCE, says=said, proven_before=proven)


def _text(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)


def _failure(examined: Examination, kind: type[VerificationError]) -> VerificationError | None:
    errors = (step.error for step in examined.failures)
    return next((each for each in errors if isinstance(each, kind)), None)


def _in_words(part: SignedPart) -> str:
    at = part.standing.proven_at
    when = "" if at is None else f" ({instant_text(at)})"
    names = ", ".join(part.standing.revoked)
    return f"of the {part.name}, revoked since: {names}; it was signed before that{when}"
