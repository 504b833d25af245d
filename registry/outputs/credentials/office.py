# SPDX-License-Identifier: Apache-2.0
"""In whose name a manifest is signed: the certificate, the key behind it, and the time."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing.certificates import Chain, Purpose
from assay.signing.statements import ConductReference
from registry.accounts.queries import Namespace
from registry.authority import services as authority
from registry.ledger import services as ledger

from .library import Office


def of(owner: Namespace, under: ConductReference) -> Office:
    """The owner's certificate for C2PA, the signer behind it, and its timestamps."""
    chain = authority.certified(Purpose.C2PA, owner, under=under)
    return Office(
        chain=_pem(chain),
        sign=partial(authority.sign_claim, owner, under=under),
        stamp=ledger.signer().timestamp,
    )


def _pem(chain: Chain) -> str:
    both: Iterable[bytes] = (
        each.public_bytes(Encoding.PEM) for each in (chain.leaf, chain.intermediate)
    )
    return b"".join(both).decode()
