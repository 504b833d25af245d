# SPDX-License-Identifier: Apache-2.0
"""Machines: a node is its key, whose possession the certificate request proves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import transaction
from django.utils import timezone

from registry.audit import services as audit

from .errors import InvalidNodeRequest, NodeKeyTaken
from .models import Node, User

MAX_CSR_CHARACTERS = 16_384
MAX_NAME_CHARACTERS = 80


def join_node(user: User, name: str, csr: str, hardware: Mapping[str, object]) -> Node:
    """The person's machine with this key: a new one, or the one that joined with it before.

    The certificate is `authority`'s to issue, with the same request; `record_chain` keeps it.
    """
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
        raise InvalidNodeRequest("expected a name of 1 to 80 printable characters")
    key = _key_of(csr)
    values = {"name": name, "hardware": dict(hardware)}
    with transaction.atomic():
        node, is_new = Node.objects.get_or_create(
            public_key_sha256=key, defaults={"owner": user, **values}
        )
        if node.owner_id != user.pk:
            raise NodeKeyTaken("expected a key of your own; this one belongs to another node")
        if not is_new:
            Node.objects.filter(pk=node.pk).update(**values)
            node.refresh_from_db()
        audit.record(user.actor, "node.join", node.actor, {"name": name, "key": key})
    return node


def record_chain(node: Node, chain: Sequence[str]) -> None:
    """Keeps the certificates (PEM, leaf first) that authority issued to the machine."""
    node.chain = "".join(one if one.endswith("\n") else f"{one}\n" for one in chain)
    Node.objects.filter(pk=node.pk).update(chain=node.chain)


def record_sighting(node: Node) -> None:
    """The machine was heard of just now."""
    Node.objects.filter(pk=node.pk).update(last_seen_at=timezone.now())


def _key_of(csr: str) -> str:
    """SHA-256 of the key's SubjectPublicKeyInfo, once the request's own signature has proved it."""
    if len(csr) > MAX_CSR_CHARACTERS:
        raise InvalidNodeRequest(f"expected at most {MAX_CSR_CHARACTERS} characters of PEM")
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        key = request.public_key()
        is_proved = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidNodeRequest("expected a PKCS#10 certificate request in PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidNodeRequest("expected a request for a P-256 key")
    if not is_proved:
        raise InvalidNodeRequest("expected a request signed by the key it names")
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()
