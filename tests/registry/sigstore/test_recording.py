# SPDX-License-Identifier: Apache-2.0
"""POST /api/v2/log/entries: an entry once it is provably in the ledger, by certificates of ours."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.utils import timezone

from assay.signing import merkle, treehead
from registry.ledger.models import Entry
from registry.sigstore import recording
from registry.sigstore.errors import NotOurs
from tests.issuer import Issuer
from tests.registry.sigstore.asking import (
    CERTIFICATES,
    ENTRIES,
    certificates,
    csr,
    hashed,
    post,
    token,
)
from tests.running import Authority
from tests.signing.sigstore.instance import Instance

pytestmark = pytest.mark.django_db(transaction=True)
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def request_(authority: Authority, issuer: Issuer, client: Client) -> Any:  # noqa: ANN401 - JSON
    """A signature under a certificate that the registry has just issued."""
    leaf, *_ = certificates(post(client, CERTIFICATES, csr(KEY), bearer=token(issuer)))
    return hashed(KEY, leaf)


def test_the_answer_proves_that_the_entry_is_in_the_ledger(
    authority: Authority,
    client: Client,
    request_: Any,  # noqa: ANN401 - JSON
) -> None:
    answer = post(client, ENTRIES, request_)
    assert (answer.status_code, answer["Content-Type"]) == (201, "application/json")
    found = json.loads(answer.content)
    proof, body = found["inclusionProof"], base64.b64decode(found["canonicalizedBody"])
    head = treehead.verify(proof["checkpoint"]["envelope"], authority.trust_root.verifier)
    assert (head.size, head.root) == (int(proof["treeSize"]), base64.b64decode(proof["rootHash"]))
    hashes = tuple(base64.b64decode(each) for each in proof["hashes"])
    index = int(proof["logIndex"])
    merkle.verify_inclusion(merkle.leaf_hash(body), index, head.size, hashes, head.root)
    assert found["kindVersion"] == {"kind": "hashedrekord", "version": "0.0.2"}
    log_id = treehead.log_id(authority.trust_root.verifier)
    assert base64.b64decode(found["logId"]["keyId"]) == log_id


def test_the_same_signature_has_one_entry(
    client: Client,
    request_: Any,  # noqa: ANN401 - JSON
) -> None:
    indexes = [json.loads(post(client, ENTRIES, request_).content)["logIndex"] for _ in range(2)]
    assert indexes[0] == indexes[1]


def test_a_certificate_of_somebody_else_is_refused(authority: Authority, client: Client) -> None:
    stranger = Instance()
    answer = post(client, ENTRIES, hashed(stranger.signer, stranger.certificate()))
    assert (answer.status_code, answer.json()["code"]) == (403, "not-our-certificate")
    bodies = [bytes(entry.body) for entry in Entry.objects.all()]
    assert not any(b"hashedrekord" in body for body in bodies)


def test_a_certificate_that_is_over_is_refused(
    request_: Any,  # noqa: ANN401 - JSON
) -> None:
    before = Entry.objects.count()
    data = json.dumps(request_).encode()
    with pytest.raises(NotOurs):
        recording.record(data, now=timezone.now() + timedelta(minutes=11))
    assert Entry.objects.count() == before


def test_a_signature_that_does_not_verify_is_refused(
    client: Client,
    request_: Any,  # noqa: ANN401 - JSON
) -> None:
    stated = request_["hashedRekordRequestV002"]
    stated["digest"] = base64.b64encode(bytes(32)).decode()
    answer = post(client, ENTRIES, request_)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-signature")


@pytest.mark.parametrize("body", [[], {}, {"hashedRekordRequestV002": {}}])
def test_what_is_no_request_is_refused(client: Client, body: Any) -> None:  # noqa: ANN401 - JSON
    answer = post(client, ENTRIES, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")
    assert "message" in answer.json()
