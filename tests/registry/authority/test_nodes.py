# SPDX-License-Identifier: Apache-2.0
"""Certificates of nodes: for the key the node joined with, in its own name, for runs only."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import certificates
from assay.signing.certificates import Purpose
from assay.signing.chains import verify_chain
from assay.signing.errors import WrongPurpose
from assay.signing.keys import SoftwareKey
from registry.accounts import services as accounts
from registry.accounts.nodes import CertificateRequest
from registry.accounts.queries import User
from registry.audit.models import AuditRow
from registry.authority import services
from registry.authority.errors import WrongKey
from registry.authority.models import Certificate
from registry.conduct import services as conduct
from tests.registry.conduct.published import first_version
from tests.registry.people import People
from tests.running import Authority


def request(key: SoftwareKey) -> CertificateRequest:
    der = certificates.request(key, subject="a node")
    pem = x509.load_der_x509_csr(der).public_bytes(Encoding.PEM)
    return CertificateRequest.parse(pem.decode())


def accept(person: User) -> None:
    version = first_version()
    conduct.accept(version, person.namespace, person)


def test_a_node_is_certified_in_its_own_name(people: People, authority: Authority) -> None:
    accept(people.bob)
    csr = request(SoftwareKey.generate())
    node = accounts.join_node(people.bob, "box", csr, {})
    chain = services.certify_node(node, csr)
    at = chain.leaf.not_valid_before_utc
    root = authority.trust_root.root
    assert verify_chain(chain, root=root, purpose=Purpose.NODE, at=at) == node.uri
    with pytest.raises(WrongPurpose):
        verify_chain(chain, root=root, purpose=Purpose.CHECKPOINT, at=at)
    node.refresh_from_db()
    assert node.chain == "".join(services.pems(chain))
    assert Certificate.objects.filter(subject=node.uri).count() == 1
    assert AuditRow.objects.get(action="node.certify").subject == node.actor


def test_another_key_than_the_one_it_joined_with_is_refused(
    people: People, authority: Authority
) -> None:
    node = accounts.join_node(people.bob, "box", request(SoftwareKey.generate()), {})
    with pytest.raises(WrongKey):
        services.certify_node(node, request(SoftwareKey.generate()))
    assert not Certificate.objects.exists()
