# SPDX-License-Identifier: Apache-2.0
"""A machine joins the pool with its own key, gets a certificate for it, and is heard of again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.errors import InvalidDocument
from registry.accounts import services as accounts_services
from registry.accounts.queries import Node, User
from registry.accounts.services import CertificateRequest
from registry.authority import revocations
from registry.authority import services as authority
from registry.conduct import standing

MAX_HARDWARE_BYTES = 16_384
MAX_CSR_CHARACTERS = 16_384
# A run of some weeks must not outlive the certificate that signs its checkpoints.
RENEWED_BEFORE = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """The body of `POST /api/v1/nodes`."""

    name: str
    csr: CertificateRequest
    hardware: Mapping[str, object]

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it; what the machine says of its hardware is kept as it stands."""
        canonical.only(obj, "name", "csr", "hardware")
        hardware = canonical.mapping(obj, "hardware")
        size_bytes = len(json.dumps(hardware, ensure_ascii=False).encode())
        if size_bytes > MAX_HARDWARE_BYTES:
            expected = f"at most {MAX_HARDWARE_BYTES} bytes"
            raise InvalidDocument("hardware", expected, str(size_bytes))
        return cls(
            name=canonical.text(obj, "name"),
            csr=CertificateRequest.parse(
                canonical.text(obj, "csr", max_characters=MAX_CSR_CHARACTERS)
            ),
            hardware=hardware,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A node and its certificates (PEM, leaf first)."""

    node: Node
    chain: tuple[str, ...]


def join(joining: Joining, *, by: User, now: datetime) -> Joined:
    """The node with this key, certified; the same key again is the same node.

    Raises NotAccepted for an owner who has accepted no conduct policy: what a node signs is theirs.
    """
    standing.require_any(by.namespace)
    # Two transactions: the first ends with the journal's lock, which must not wait for the signer.
    # A node that joined and was not certified is certified when it asks again.
    node = accounts_services.join_node(by, joining.name, joining.csr, joining.hardware)
    accounts_services.record_sighting(node)
    chain = _good_chain(node, now) or authority.pems(authority.certify_node(node, joining.csr))
    return Joined(node=node, chain=chain)


def _good_chain(node: Node, now: datetime) -> tuple[str, ...]:
    """The certificates that it has, unless they end soon or were revoked."""
    if not node.chain:
        return ()
    leaf, *_ = x509.load_pem_x509_certificates(node.chain.encode())
    ends_soon = leaf.not_valid_after_utc < now + RENEWED_BEFORE
    if ends_soon or revocations.is_revoked(leaf.serial_number):
        return ()
    end = "-----END CERTIFICATE-----\n"
    return tuple(part + end for part in node.chain.split(end) if part.strip())
