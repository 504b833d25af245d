# SPDX-License-Identifier: Apache-2.0
"""What a standing is: what else is known of signed evidence, and the steps that fail for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509

from assay.signing import ocsp, timestamps
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.crls import ROOT, Period
from assay.signing.evidence import Evidence
from assay.signing.revocation import Missing, NotRevoked, Reason, Revocation
from tests.signing.revoking import Case, question, responder_of
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, World

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SEEN = AT + HOUR  # by the second of two witnesses: proven
SINCE = AT + 2 * HOUR  # from when on nothing counts
REVOKED_AT = AT + 5 * HOUR
AS_OF = AT + 6 * HOUR
PARTS = ("output", "checkpoint", "run", "dataset", "conduct")
ALL = tuple(f"{part}.revocation" for part in PARTS)
HEADS = tuple(f"{part}.tree-head" for part in PARTS)
OUTPUT = ("output.revocation",)
REVOKED, STALE, UNSEEN = "certificate-revoked", "revocation-unknown", "not-witnessed"
GOOD = NotRevoked(said_at=AT)
SHORT = Period(this_update=AT, next_update=AT + 3 * HOUR)
KEPT = ("revocation", "tree-head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known besides the evidence, and the steps that fail for it."""

    name: str
    failed: tuple[str, ...] = ()
    error: str = ""
    """The code of the first failure."""
    lists: tuple[bytes, ...] | None = None
    """In place of those of the evidence."""
    answers: tuple[bytes, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
    """By part, in place of the note of its tree head."""
    asks: bool = True
    """Whether the policy of witnesses is demanded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    world: World
    witnesses: Witnesses
    evidence: Evidence

    @property
    def output(self) -> Bundle:
        return self.evidence.bundles["output"]

    def roles(self) -> dict[str, tuple[str, Case, tuple[str, ...]]]:
        """By role: whose list it is on, what an answer is about, and which steps rest on it."""
        world, stamper = self.world, timestamps.chain(self.output.timestamp)
        issuers = world.issuers
        return {
            "leaf": (
                Purpose.OUTPUT.value,
                Case(certificate=self.output.chain.leaf, issuer=issuers[Purpose.OUTPUT]),
                OUTPUT,
            ),
            "intermediate": (
                ROOT,
                Case(certificate=self.output.chain.intermediate, issuer=world.root),
                OUTPUT,
            ),
            "timestamp leaf": (
                Purpose.TIMESTAMP.value,
                Case(certificate=stamper.leaf, issuer=issuers[Purpose.TIMESTAMP]),
                ALL,
            ),
            "timestamp intermediate": (
                ROOT,
                Case(certificate=stamper.intermediate, issuer=world.root),
                ALL,
            ),
        }

    def crls(self, role: str, since: datetime) -> tuple[bytes, ...]:
        issuer, case, _ = self.roles()[role]
        return self.world.lists({issuer: revocation(case.certificate, since)})

    def answer(
        self, role: str, finding: NotRevoked | Revocation | Missing, period: Period = SHORT
    ) -> bytes:
        _, case, _ = self.roles()[role]
        by = responder_of(case.issuer, log=self.world.log_key)
        return ocsp.respond(question(case), finding, responder=by, period=period)

    def revoking(self, role: str, since: datetime) -> bytes:
        """An answer that revokes a certificate."""
        _, case, _ = self.roles()[role]
        return self.answer(role, revocation(case.certificate, since))

    def seen(self, **seen_at: datetime | int) -> dict[str, str]:
        """The notes of all parts, as these witnesses saw them and no others."""
        return {
            part: self.witnesses.note(alone(bundle.proof.note), **seen_at)
            for part, bundle in self.evidence.bundles.items()
        }


def revocation(
    certificate: x509.Certificate, since: datetime, *, at: datetime = REVOKED_AT
) -> Revocation:
    """Of a key that was in wrong hands since some moment."""
    return Revocation(
        serial=certificate.serial_number,
        revoked_at=at,
        reason=Reason.KEY_COMPROMISE,
        invalid_from=since,
    )


def alone(note: str) -> str:
    """A note with the ledger's line and no other."""
    return "".join(note.splitlines(keepends=True)[:5])
