# SPDX-License-Identifier: Apache-2.0
"""Machines: a node is its key, whose possession the certificate request proves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import transaction
from django.utils import timezone

from assay.signing.certificates import MALFORMED, key_of_request
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from registry.audit import services as audit

from . import suspensions
from .errors import InvalidNodeRequest, NodeKeyTaken
from .models import Node, User

MAX_NAME_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """A machine's PKCS#10 request; its own signature has proved that the machine has the key."""

    der: bytes
    key_sha256: str
    """Of the key's SubjectPublicKeyInfo: what a node is known by."""

    @classmethod
    def parse(cls, pem: str) -> Self:
        """Read it; raises InvalidNodeRequest."""
        try:
            der = x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER)
            key = key_of_request(der)
        except MALFORMED as error:
            raise InvalidNodeRequest("expected a PKCS#10 request in PEM, found none") from error
        except InvalidDocument as error:
            raise InvalidNodeRequest(str(error)) from error
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(der=der, key_sha256=sha256(spki))


def join_node(
    user: User, name: str, csr: CertificateRequest, hardware: Mapping[str, object]
) -> Node:
    """The person's machine with this key: a new one, or the one that joined with it before.

    The certificate is `authority`'s to issue, with the same request; `record_chain` keeps it.
    """
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
        raise InvalidNodeRequest(
            f"expected a name of 1 to {MAX_NAME_CHARACTERS} printable characters, "
            f"found {name[:MAX_NAME_CHARACTERS]!a}"
        )
    values = {"name": name, "hardware": dict(hardware)}
    with transaction.atomic():
        node, is_new = Node.objects.get_or_create(
            public_key_sha256=csr.key_sha256, defaults={"owner": user, **values}
        )
        if node.owner_id != user.pk:
            raise NodeKeyTaken("expected a key of your own; this one belongs to another node")
        suspensions.check_admitted(node)
        if not is_new:
            Node.objects.filter(pk=node.pk).update(**values)
            node.refresh_from_db()
        details = {"name": name, "key": csr.key_sha256}
        audit.record(user.actor, "node.join", node.actor, details)
    return node


def record_chain(node: Node, chain: Sequence[str]) -> None:
    """Keeps the certificates (PEM, leaf first) that authority issued to the machine."""
    node.chain = "".join(one if one.endswith("\n") else f"{one}\n" for one in chain)
    Node.objects.filter(pk=node.pk).update(chain=node.chain)


def record_sighting(node: Node) -> None:
    """The machine was heard of just now."""
    Node.objects.filter(pk=node.pk).update(last_seen_at=timezone.now())
