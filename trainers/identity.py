# SPDX-License-Identifier: Apache-2.0
"""Who a node is: its own key, kept in its folder, and the certificate that a registry gives it.

Joining again with the same key is the same node, so a node joins at each start. The certificate
is checked as a stranger would check it, before anything is signed with its key.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import certificates, chains
from assay.signing.canonical import as_mapping, items, text
from assay.signing.certificates import Chain, Purpose
from assay.signing.client import RegistryClient
from assay.signing.errors import InvalidDocument, UntrustedChain
from assay.signing.keys import SoftwareKey

from .patience import Patience

KEY_FILE = "node.key.pem"
CLOCK_SKEW = timedelta(minutes=5)
"""A volunteer's clock may be this far behind the registry's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A node that a registry knows."""

    id: str
    uri: str
    key: SoftwareKey
    chain: Chain


def node_key(directory: Path) -> SoftwareKey:
    """The node's P-256 key: made at its first start, only ever readable by its user."""
    path = directory / KEY_FILE
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        SoftwareKey.generate().store(path, None)
    return SoftwareKey.load(path, None)


def join(
    client: RegistryClient,
    key: SoftwareKey,
    *,
    name: str,
    hardware: Mapping[str, object],
    now: Callable[[], datetime],
    patience: Patience,
) -> Identity:
    """Join a registry's pool, and check the certificate that it issues."""
    csr = _pem(certificates.request(key, subject=name))
    body = {"name": name, "csr": csr, "hardware": dict(hardware)}
    answer = patience.until_answered(lambda: client.post_json("/api/v1/nodes", body))
    joined = as_mapping(answer, "node")
    chain = Chain.parse([_der(pem) for pem in items(joined, "chain")])
    root = patience.until_answered(client.trust_root).root
    at = _time_of_check(chain, now())
    subject = chains.verify_chain(chain, root=root, purpose=Purpose.NODE, at=at)
    uri = text(joined, "uri")
    if subject != uri or chain.public_key != key.public_key:
        raise UntrustedChain(
            f"expected a certificate of our key for {uri}, found one of another for {subject}"
        )
    return Identity(id=text(joined, "id"), uri=uri, key=key, chain=chain)


def _time_of_check(chain: Chain, now: datetime) -> datetime:
    """Now, or when the certificate begins if our clock has just not got there."""
    begins_at = chain.leaf.not_valid_before_utc
    return begins_at if now < begins_at <= now + CLOCK_SKEW else now


def _pem(csr: bytes) -> str:
    return x509.load_der_x509_csr(csr).public_bytes(Encoding.PEM).decode("ascii")


def _der(pem: object) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(str(pem))
    except ValueError as error:
        raise InvalidDocument("chain", "certificates in PEM", "none") from error
