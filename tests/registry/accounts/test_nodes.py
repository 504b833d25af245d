# SPDX-License-Identifier: Apache-2.0
"""Machines: a node is its key, proved by the request it signs, and belongs to one person."""

from __future__ import annotations

import re
import uuid

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from registry.accounts import queries, services
from registry.accounts.errors import InvalidNodeRequest, NodeKeyTaken
from registry.accounts.models import Node
from registry.accounts.nodes import CertificateRequest
from tests.registry.people import People


def pem(curve: ec.EllipticCurve | None = None) -> str:
    key = ec.generate_private_key(curve or ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def forged() -> str:
    """A request whose last byte of signature is another."""
    der = x509.load_pem_x509_csr(pem().encode()).public_bytes(Encoding.DER)
    broken = der[:-1] + bytes([der[-1] ^ 1])
    return x509.load_der_x509_csr(broken).public_bytes(Encoding.PEM).decode()


def request() -> CertificateRequest:
    return CertificateRequest.parse(pem())


def test_a_machine_joins_for_its_owner(people: People) -> None:
    node = services.join_node(people.alice, "basement", request(), {"gpu": "none"})
    assert node.uri == f"http://localhost:8000/nodes/{node.pk}"
    assert node.actor == f"node:{node.pk}"
    assert queries.node(node.pk, owner=people.alice) == node
    assert str(node) == f"node basement ({node.pk})"


def test_the_same_key_is_the_same_machine(people: People) -> None:
    csr = request()
    first = services.join_node(people.alice, "basement", csr, {})
    again = services.join_node(people.alice, "attic", csr, {"cpu": "two"})
    assert (again.pk, again.name, again.hardware) == (first.pk, "attic", {"cpu": "two"})


def test_nobody_joins_with_somebody_elses_key(people: People) -> None:
    csr = request()
    services.join_node(people.alice, "basement", csr, {})
    with pytest.raises(NodeKeyTaken):
        services.join_node(people.bob, "mine", csr, {})
    assert Node.objects.get().name == "basement"


@pytest.mark.parametrize(
    ("csr", "found"),
    [
        ("", "PKCS#10"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "PKCS#10"),
        (pem(ec.SECP384R1()), "P-256"),
        (forged(), "signed by its own key"),
    ],
)
def test_what_proves_no_key_is_no_request(csr: str, found: str) -> None:
    with pytest.raises(InvalidNodeRequest, match=re.escape(found)):
        CertificateRequest.parse(csr)


@pytest.mark.parametrize("name", ["", "x" * 81, "two\nlines", "nul\0"])
def test_a_name_can_be_shown(name: str, people: People) -> None:
    with pytest.raises(InvalidNodeRequest, match="printable"):
        services.join_node(people.alice, name, request(), {})


def test_a_strangers_machine_is_as_good_as_none(people: People) -> None:
    node = services.join_node(people.alice, "basement", request(), {})
    assert queries.node(node.pk, owner=people.charlie) is None
    for nothing in (uuid.uuid4(), "no id", ""):
        assert queries.node(nothing, owner=people.alice) is None


def test_its_certificates_and_sightings_are_kept(people: People) -> None:
    node = services.join_node(people.alice, "basement", request(), {})
    services.record_chain(node, ["leaf\n", "intermediate"])
    services.record_sighting(node)
    node.refresh_from_db()
    assert node.chain == "leaf\nintermediate\n"
    assert node.last_seen_at is not None
