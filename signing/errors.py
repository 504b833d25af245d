# SPDX-License-Identifier: Apache-2.0
"""Every way in which signing and verifying can fail, each with a stable code.

Leaves the exit of a process and the wording of a page to those who catch these errors. Exit codes
below 10 belong to the command line itself (2 is a wrong argument).
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from .values import dataclass


class Outcome(StrEnum):
    """What became of one step of a verification."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not-reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One numbered check of a verification, and what it found."""

    number: int
    part: str
    """What the step is about, as its code begins: text, files, output, checkpoint, base-1, …"""
    code: str
    """Stable name of the check, such as `output.signature`; numbers depend on the evidence."""
    title: str
    detail: str
    """What was found; for a failure, what was expected and what was found."""
    outcome: Outcome
    error: VerificationError | None = None


class AssayError(Exception):
    """The root of the tree; never raised itself."""

    code: ClassVar[str] = "assay-error"
    exit_code: ClassVar[int] = 1
    title: str = ""
    """The message without what `reasons` say again."""
    reasons: tuple[str, ...] = ()
    """One for each field or file that was refused, where a registry named them."""

    def for_programs(self) -> dict[str, object]:
        """What went wrong, as JSON has it."""
        return {"code": self.code, "message": str(self), "exit_code": self.exit_code}


class InvalidDocument(AssayError):
    """A document, or one field of it, is not what its format demands."""

    code = "invalid-document"
    exit_code = 10

    def __init__(self, field: str, expected: str, found: str) -> None:
        super().__init__(f"{field}: expected {expected}, found {found}")
        self.field = field
        self.expected = expected
        self.found = found

    def under(self, prefix: str) -> InvalidDocument:
        """The same failure, its field named from one level further out."""
        return type(self)(f"{prefix}.{self.field}", self.expected, self.found)


class KeyUnusable(AssayError):
    """A key file cannot be opened, or a key is of the wrong kind for its use."""

    code = "key-unusable"
    exit_code = 3


class SignerError(AssayError):
    """The signer process refused a request, or could not be reached."""

    code = "signer-error"
    exit_code = 4

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """The signer's own code (docs/spec/signer.md), such as `ledger-rollback`."""


class VerificationError(AssayError):
    """Something does not verify. Carries the step that failed and the steps that passed before."""

    code = "verification-failed"
    exit_code = 11
    step: Step | None = None
    passed: tuple[Step, ...] = ()


class BadEnvelope(VerificationError):
    """An envelope, its statement or its bundle is malformed, or states something else."""

    code = "bad-envelope"
    exit_code = 12


class UntrustedChain(VerificationError):
    """A certificate does not lead to the pinned root, or was not valid at the signing time."""

    code = "untrusted-chain"
    exit_code = 13


class WrongPurpose(VerificationError):
    """A certificate, valid in itself, may not sign this kind of statement."""

    code = "wrong-purpose"
    exit_code = 14


class BadSignature(VerificationError):
    """A signature was not made over these bytes by this key."""

    code = "bad-signature"
    exit_code = 15


class BadTimestamp(VerificationError):
    """A timestamp is malformed, not ours, or over something else."""

    code = "bad-timestamp"
    exit_code = 16


class NotInLedger(VerificationError):
    """A ledger entry or its inclusion proof does not fit."""

    code = "not-in-ledger"
    exit_code = 17


class BadTreeHead(VerificationError):
    """A tree head is malformed, not signed by the pinned ledger, or of another tree."""

    code = "bad-tree-head"
    exit_code = 18


class DigestMismatch(VerificationError):
    """Content at hand is not the content that was signed."""

    code = "digest-mismatch"
    exit_code = 19


class FileMismatch(DigestMismatch):
    """Files were changed, are missing, or were added."""

    code = "file-mismatch"
    exit_code = 20


class TextMismatch(DigestMismatch):
    """A text differs from the signed one by more than normalising explains."""

    code = "text-mismatch"
    exit_code = 21
    is_excerpt: bool = False
    """Whether it is lines of the signed one, which counts where that is asked for."""


class BrokenLink(VerificationError):
    """Two sound parts do not belong together: one names another thing than the other is."""

    code = "broken-link"
    exit_code = 22


class NoTrustRoot(VerificationError):
    """No trust root is pinned that could judge this."""

    code = "no-trust-root"
    exit_code = 23


class MissingEvidence(VerificationError):
    """A part that another part refers to is not in the evidence."""

    code = "missing-evidence"
    exit_code = 24


class BadRevocation(VerificationError):
    """A revocation list or an OCSP answer is malformed, or not by whom it must be."""

    code = "bad-revocation"
    exit_code = 25


class CertificateRevoked(VerificationError):
    """A certificate was revoked, and its signature is not proven to be from before."""

    code = "certificate-revoked"
    exit_code = 26


class RevocationUnknown(VerificationError):
    """Nothing current is at hand that says whether a certificate was revoked."""

    code = "revocation-unknown"
    exit_code = 27


class BadTile(VerificationError):
    """A stored piece of the ledger is not of the form or size that its path demands."""

    code = "bad-tile"
    exit_code = 28


class NotWitnessed(VerificationError):
    """A tree head is sound, but fewer witnesses have seen it than the policy demands."""

    code = "not-witnessed"
    exit_code = 29


class LedgerForked(VerificationError):
    """A ledger signed two histories: its head does not continue one that was verified."""

    code = "ledger-forked"
    exit_code = 40


class LedgerRolledBack(VerificationError):
    """A ledger shows a smaller tree than one that was verified; alone it may be a stale copy."""

    code = "ledger-rolled-back"
    exit_code = 41


class WrongIdentity(VerificationError):
    """A certificate names another identity, or another issuer of identities."""

    code = "wrong-identity"
    exit_code = 42


class WrongOpening(VerificationError):
    """What is to say who is behind a pseudonym or a commitment opens none that is there."""

    code = "wrong-opening"
    exit_code = 44


class NotLogged(VerificationError):
    """No trusted certificate log says that it took a certificate in."""

    code = "not-logged"
    exit_code = 43


class BadCredentials(VerificationError):
    """The C2PA manifest of media is broken, of somebody else, or not what the registry makes."""

    code = "bad-credentials"
    exit_code = 50


class WrongKey(VerificationError):
    """The signature is sound, but not by the key that was demanded."""

    code = "wrong-key"
    exit_code = 53
