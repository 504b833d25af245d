# SPDX-License-Identifier: Apache-2.0
"""What is asked of the signer about media: a signature over a C2PA claim.

Only its shape, as in protocol, which frames it; what may be claimed is decided in claiming.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .. import canonical
from ..certificates import Purpose

MAX_SUBJECT_CHARACTERS = 1024


class ClaimOp(StrEnum):
    """What can be asked about them."""

    SIGN_CLAIM = "sign_claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignClaimRequest:
    """Sign this C2PA claim, in the name of this subject; its purpose is `c2pa`, and no other."""

    subject: str
    structure: bytes
    """COSE's Sig_structure, which holds the claim."""
    conduct_sha256: str
    """The conduct policy that the subject's certificate names."""
    salt: bytes | None = field(default=None, repr=False)
    """Where the subject is a person: of the pseudonym that stands in the certificate."""

    @property
    def purpose(self) -> Purpose:
        """Of the key that signs."""
        return Purpose.C2PA


def to_json(request: SignClaimRequest) -> dict[str, object]:
    """The message."""
    return {
        "conduct_sha256": request.conduct_sha256,
        "op": ClaimOp.SIGN_CLAIM.value,
        "salt": None if request.salt is None else request.salt.hex(),
        "structure": canonical.base64_text(request.structure),
        "subject": request.subject,
    }


def _read_sign_claim(obj: Mapping[str, object]) -> SignClaimRequest:
    canonical.only(obj, "op", "subject", "salt", "structure", "conduct_sha256")
    salt = canonical.nullable(obj, "salt", canonical.sha256_hex)  # as many bytes as a digest
    return SignClaimRequest(
        subject=canonical.text(obj, "subject", max_characters=MAX_SUBJECT_CHARACTERS),
        structure=canonical.base64_bytes(obj, "structure"),
        conduct_sha256=canonical.sha256_hex(obj, "conduct_sha256"),
        salt=None if salt is None else bytes.fromhex(salt),
    )


READERS: Mapping[str, Callable[[Mapping[str, object]], SignClaimRequest]] = {
    ClaimOp.SIGN_CLAIM: _read_sign_claim,
}
