# SPDX-License-Identifier: Apache-2.0
"""What the signer refuses, one class for each stable code of docs/spec/signer.md.

No message ever holds key material: messages name files, purposes, sizes and digests only.
"""

from __future__ import annotations

from ..errors import SignerError


class SignerRefusal(SignerError):
    """A SignerError whose reason is the code of its class; never raised itself."""

    def __init__(self, message: str) -> None:
        super().__init__(self.code, message)


class BadRequest(SignerRefusal):
    """The request is not one of the protocol's, or a field of it is malformed."""

    code = "bad-request"


class WrongPurpose(SignerRefusal):
    """The operation does not sign for that purpose."""

    code = "wrong-purpose"


class WrongStatement(SignerRefusal):
    """The bytes are not a statement that this purpose may sign."""

    code = "wrong-statement"


class LedgerRollback(SignerRefusal):
    """The tree is smaller than one that was signed before, or another one of the same size."""

    code = "ledger-rollback"


class LedgerInconsistent(SignerRefusal):
    """The consistency proof does not lead from the high-water mark to the new tree."""

    code = "ledger-inconsistent"


class AuditUnavailable(SignerRefusal):
    """The audit line could not be made durable, so nothing was signed."""

    code = "audit-unavailable"


class StorageUnavailable(SignerRefusal):
    """A key, a certificate or the high-water mark could not be made durable: nothing was signed."""

    code = "storage-unavailable"


class CertificateNotValid(SignerRefusal):
    """The intermediate of this purpose is not valid at the signer's time."""

    code = "certificate-not-valid"


class PurposeStopped(SignerRefusal):
    """The intermediate of this purpose was stopped, or revoked by the root, and not replaced."""

    code = "purpose-stopped"


class PurposeMissing(SignerRefusal):
    """The registry is older than this purpose, and has no intermediate for it yet."""

    code = "purpose-missing"


class KeyUnavailable(SignerRefusal):
    """A key's token does not answer, or has the key no longer: nothing was signed."""

    code = "key-unavailable"


class NotCertified(SignerRefusal):
    """Whoever should sign has no certificate, or none that is valid now: precertify and certify."""

    code = "not-certified"


class NotIncluded(SignerRefusal):
    """The precertificate is not in the tree that was signed last, or that is not proven."""

    code = "not-included"


class SignerUnavailable(SignerRefusal):
    """No signer answers on the socket (raised by the client, never sent)."""

    code = "signer-unavailable"


class SignerFilesBroken(SignerRefusal):
    """The signer's own files contradict each other; it does not start (never sent)."""

    code = "signer-files-broken"


SENT: tuple[type[SignerRefusal], ...] = (
    BadRequest,
    WrongPurpose,
    WrongStatement,
    LedgerRollback,
    LedgerInconsistent,
    AuditUnavailable,
    StorageUnavailable,
    CertificateNotValid,
    PurposeStopped,
    PurposeMissing,
    KeyUnavailable,
    NotCertified,
    NotIncluded,
)
BY_CODE: dict[str, type[SignerRefusal]] = {error.code: error for error in SENT}
