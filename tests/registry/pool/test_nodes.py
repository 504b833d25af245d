# SPDX-License-Identifier: Apache-2.0
"""Machines join with a key of their own, once, and only for who has accepted the conduct."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.chains import verify_chain
from assay.signing.keys import SoftwareKey
from assay.signing.revocation import Reason
from registry.accounts.models import Node
from registry.authority import revocations
from registry.catalog.services.run_statement import parse_chain
from registry.pool import services
from tests.registry.people import People, client_of
from tests.registry.pool.world import Lab, Machine, csr_of, paper_machine
from tests.running import Authority

URL = "/api/v1/nodes"


def body(**other: object) -> dict[str, Any]:
    return {"name": "attic", "csr": csr_of(SoftwareKey.generate()), "hardware": {}, **other}


def csr_with(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "attic")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def test_a_node_joins_and_is_certified_by_its_own_name(real_lab: Lab, authority: Authority) -> None:
    answer = client_of(real_lab.people.bob, "node").post(URL, body(hardware={"cpu": "two"}))
    assert answer.status_code == 201
    said, node = answer.json(), Node.objects.get()
    assert said["id"] == str(node.id)
    assert said["uri"] == f"http://localhost:8000/nodes/{node.id}"
    chain = parse_chain("".join(said["chain"]))
    subject = verify_chain(
        chain, root=authority.trust_root.root, purpose=Purpose.NODE, at=timezone.now()
    )
    assert subject == said["uri"]
    assert (node.owner, node.hardware) == (real_lab.people.bob, {"cpu": "two"})
    assert node.last_seen_at is not None


def test_the_same_key_again_is_the_same_node(real_lab: Lab) -> None:
    client, asked = client_of(real_lab.people.bob, "node"), body()
    first = client.post(URL, asked).json()
    again = client.post(URL, {**asked, "name": "cellar"}).json()
    assert again == first
    assert Node.objects.get().name == "cellar"


def test_a_certificate_that_ends_soon_is_renewed(real_lab: Lab) -> None:
    joining = services.Joining.parse(body())
    now = timezone.now()
    first = services.join(joining, by=real_lab.people.bob, now=now)
    again = services.join(joining, by=real_lab.people.bob, now=now)
    later = services.join(joining, by=real_lab.people.bob, now=now + timedelta(days=366))
    assert first.chain == again.chain != later.chain
    assert first.node == later.node


def test_a_certificate_that_was_revoked_is_replaced(real_lab: Lab) -> None:
    joining, now = services.Joining.parse(body()), timezone.now()
    first = services.join(joining, by=real_lab.people.bob, now=now)
    leaf = parse_chain("".join(first.chain)).leaf
    revocations.revoke(f"{leaf.serial_number:x}", Reason.KEY_COMPROMISE)
    again = services.join(joining, by=real_lab.people.bob, now=now)
    assert again.node == first.node
    assert again.chain != first.chain


def test_a_key_of_somebody_else_is_refused(lab: Lab, machine: Machine) -> None:
    asked = body(csr=csr_of(machine.key))
    answer = client_of(lab.people.alice, "node").post(URL, asked)
    assert (answer.status_code, answer.json()["code"]) == (409, "node-key-taken")
    assert Node.objects.get().owner == lab.people.bob


def test_who_has_not_accepted_the_conduct_cannot_join(lab: Lab) -> None:
    answer = client_of(lab.people.charlie, "node").post(URL, body())
    assert (answer.status_code, answer.json()["code"]) == (403, "conduct-not-accepted")
    assert "/conduct/community-language-models/1.0" in answer.json()["detail"]
    assert Node.objects.count() == 0


def test_without_a_published_policy_nobody_can_join(people: People) -> None:
    answer = client_of(people.bob, "node").post(URL, body())
    assert (answer.status_code, answer.json()["code"]) == (403, "conduct-not-accepted")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"csr": csr_with(ec.generate_private_key(ec.SECP384R1()))}, "invalid-node-request"),
        ({"csr": csr_with(rsa.generate_private_key(65537, 2048))}, "invalid-node-request"),
        ({"csr": "-----BEGIN CERTIFICATE REQUEST-----\n"}, "invalid-node-request"),
        ({"csr": "x" * 16_385}, "invalid-document"),
        ({"csr": 7}, "invalid-document"),
        ({"name": ""}, "invalid-document"),
        ({"name": "a\u202eb"}, "invalid-node-request"),
        ({"hardware": []}, "invalid-document"),
        ({"hardware": {"x": "y" * 16_384}}, "invalid-document"),
        ({"owner": "alice"}, "invalid-document"),
    ],
)
def test_a_request_that_proves_no_p256_key_is_refused(
    lab: Lab, wrong: dict[str, Any], code: str
) -> None:
    answer = client_of(lab.people.bob, "node").post(URL, body(**wrong))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert Node.objects.count() == 0


def test_a_node_is_heard_of(lab: Lab, machine: Machine) -> None:
    url = f"{URL}/{machine.node.id}/heartbeat"
    assert machine.client.post(url, {"state": "idle"}).json() == {"state": "idle"}
    services.claim(machine.node, now=timezone.now())
    assert machine.client.post(url, {}).json() == {"state": "leased"}
    assert machine.client.post(url, {"state": 7}).status_code == 422


def test_a_node_of_somebody_else_is_as_good_as_none(lab: Lab, machine: Machine) -> None:
    hers = paper_machine(lab.people.alice)
    answer = machine.client.post(f"{URL}/{hers.node.id}/heartbeat", {})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
