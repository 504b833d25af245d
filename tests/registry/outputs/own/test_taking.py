# SPDX-License-Identifier: Apache-2.0
"""Outputs that a caller's own key signs: the registry's statement, under a live acceptance."""

from __future__ import annotations

import base64
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from django.utils import timezone
from rest_framework.test import APIClient

from assay.signing.digests import as_id
from assay.signing.errors import WrongKey
from assay.signing.evidence import Evidence
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.revocation import Reason
from assay.signing.statements import Origin, OutputClaim
from assay.signing.statements import Statement as Document
from assay.signing.verify import verify_output
from registry.accounts import pseudonyms
from registry.accounts import services as accounts
from registry.audit.models import AuditRow
from registry.authority import revocations
from registry.authority.models import Certificate
from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from registry.ledger.models import Statement
from registry.outputs.models import Output, State
from registry.outputs.own import services
from registry.outputs.own.errors import CertificateUnusable
from registry.outputs.own.services import Signed
from tests.registry.outputs import world
from tests.registry.outputs.owning import (
    CERTIFICATES,
    OUTPUTS,
    OWN,
    STATEMENTS,
    Owner,
    base64_of,
    csr_of,
)
from tests.registry.people import client_of
from tests.registry.pool.world import Lab, join
from tests.registry.verifying import demands
from tests.running import Authority
from tests.signing.pki import of_no_version

# SEC 2, 2.4.2: the order of P-256's group.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def owner(real_lab: Lab, real_checkpoint: Checkpoint) -> Owner:
    """Bob, who has accepted the rules."""
    return Owner(client=client_of(real_lab.people.bob, "outputs"), checkpoint=real_checkpoint)


def refused(owner: Owner, body: dict[str, Any], status: int, code: str) -> str:
    """What is said, once it is known that nothing was kept."""
    before = Output.objects.count(), Statement.objects.count()
    answer = owner.client.post(OWN, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert (Output.objects.count(), Statement.objects.count()) == before
    return str(answer.json()["detail"])


def test_what_a_key_of_ones_own_signs_verifies_as_any_output(
    owner: Owner, real_lab: Lab, authority: Authority
) -> None:
    answer = owner.client.post(OWN, owner.body())
    assert answer.status_code == 201
    said = answer.json()
    assert (said["claim"], said["state"], said["text"]) == ("caller-asserted", "signed", None)
    assert answer["Location"].endswith(f"{OUTPUTS}/{said['id']}")
    shown = owner.client.get(f"{OUTPUTS}/{said['id']}").json()
    assert shown.pop("standing")["state"] == "good"
    assert shown == said

    evidence, root = Evidence.parse(said["evidence"]), authority.trust_root
    demanded = replace(demands(), signer_key=owner.key_sha256)
    found = verify_output(evidence, trust=root, requirements=demanded, content=None)
    assert found.output is not None
    assert found.output.claim is Origin.CALLER_ASSERTED
    bob = real_lab.people.bob.namespace
    part = found.parts[0]
    assert (part.signer, part.pseudonym) == (bob.uri, pseudonyms.certified_as(bob))
    assert part.key_sha256 == owner.key_sha256
    other = replace(demanded, signer_key="0" * 64)
    with pytest.raises(WrongKey):
        verify_output(evidence, trust=root, requirements=other, content=None)

    (row,) = AuditRow.objects.filter(action="output.assert")
    assert row.details["key"] == owner.key_sha256


def test_the_certificate_names_the_caller_and_what_they_accepted(
    owner: Owner, real_lab: Lab, real_checkpoint: Checkpoint
) -> None:
    said = owner.certified()
    assert said["subject"] == pseudonyms.certified_as(real_lab.people.bob.namespace)
    assert said["conduct"] == f"sha256:{real_checkpoint.conduct.sha256}"
    assert said["key"] == f"sha256:{owner.key_sha256}"
    assert said["chain"].count("BEGIN CERTIFICATE") == 2
    (row,) = AuditRow.objects.filter(action="output.certify")
    assert (row.subject, row.details["key"]) == (said["serial"], owner.key_sha256)
    assert owner.certified()["serial"] != said["serial"]


def test_the_lines_of_a_text_are_in_what_the_key_signs(owner: Owner) -> None:
    lines = {"count": 2, "sha256": "3" * 64}
    digests = {"sha256": "1" * 64, "normalised": "2" * 64, "lines": lines}
    body = owner.body(digests=digests)
    answer = owner.client.post(OWN, body)
    assert answer.status_code == 201, answer.content
    statement = Evidence.parse(answer.json()["evidence"]).bundles["output"].envelope.payload
    claim = OutputClaim.parse(Document.parse(statement))
    assert claim.lines is not None
    assert claim.lines.to_json() == lines
    assert owner.client.post(OWN, body).json()["id"] == answer.json()["id"]
    for other in ({**lines, "count": 3}, {**lines, "sha256": "4" * 64}):
        refused(owner, {**body, "digests": {**digests, "lines": other}}, 409, "output-taken")


def test_the_registrys_own_signature_goes_on_beside_it(owner: Owner) -> None:
    chain = owner.certified()["chain"]
    ours = owner.client.post(f"{OUTPUTS}/sign", world.asserted_of(owner.checkpoint))
    theirs = owner.client.post(OWN, owner.signed(owner.stated(), chain))
    assert (ours.status_code, theirs.status_code) == (201, 201)
    leaves = {bytes(each.statement.leaf) for each in Output.objects.all() if each.statement}
    assert len(leaves) == 2


def test_a_certificate_is_asked_for_once_under_a_key(owner: Owner) -> None:
    asked = {
        "csr": csr_of(owner.key),
        "checkpoint": world.asserted_of(owner.checkpoint)["checkpoint"],
    }
    first, again = (
        owner.client.post(CERTIFICATES, asked, headers={"Idempotency-Key": "1"}) for _ in range(2)
    )
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"


def wrong_requests() -> dict[str, str]:
    good = csr_of(SoftwareKey.generate())
    other = csr_of(SoftwareKey.generate())
    mixed = bytearray(base64.b64decode("".join(good.splitlines()[1:-1])))
    mixed[-1] ^= 1
    lines = "\n".join(base64_of(bytes(mixed))[at : at + 64] for at in range(0, 400, 64))
    label = "CERTIFICATE REQUEST-----"
    return {
        "none": "",
        "no PEM": "csr",
        "another curve": csr_of(SoftwareKey.generate(Curve.P384)),
        "another signature": f"-----BEGIN {label}\n{lines}\n-----END {label}\n",
        "too long": good + other * 40,
    }


@pytest.mark.parametrize("name", wrong_requests())
def test_a_request_without_its_key_gets_no_certificate(owner: Owner, name: str) -> None:
    checkpoint = world.asserted_of(owner.checkpoint)["checkpoint"]
    asked = {"csr": wrong_requests()[name], "checkpoint": checkpoint}
    answer = owner.client.post(CERTIFICATES, asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")


def test_who_has_not_accepted_the_rules_gets_nothing(owner: Owner, real_lab: Lab) -> None:
    stranger = replace(owner, client=client_of(real_lab.people.charlie, "outputs"))
    checkpoint = world.asserted_of(owner.checkpoint)
    asked = {"csr": csr_of(owner.key), "checkpoint": checkpoint["checkpoint"]}
    for path, body in ((CERTIFICATES, asked), (STATEMENTS, checkpoint), (OWN, owner.body())):
        answer = stranger.client.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "conduct-not-accepted")
    assert not Output.objects.exists()


def test_only_a_token_for_outputs_opens_it(owner: Owner, real_lab: Lab) -> None:
    body = owner.body()
    client = client_of(real_lab.people.bob, "read", "publish", "node")
    for path in (CERTIFICATES, STATEMENTS, OWN):
        answer = client.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing")


def test_the_certificate_of_another_signs_nothing(owner: Owner, real_lab: Lab) -> None:
    """Charlie has Bob's certificate, which is public, and even his key."""
    charlie = real_lab.people.charlie
    conduct.accept(owner.checkpoint.conduct, charlie.namespace, charlie)
    thief = replace(owner, client=client_of(charlie, "outputs"))
    body = thief.signed(thief.stated(), owner.certified()["chain"])
    refused(thief, body, 403, "certificate-of-another")


def test_another_key_than_the_certified_one_signs_nothing(owner: Owner) -> None:
    other = replace(owner, key=SoftwareKey.generate())
    body = other.signed(other.stated(), owner.certified()["chain"])
    refused(owner, body, 422, "signature-refused")


@pytest.mark.parametrize(
    "changed",
    [
        {"digests": {"sha256": "2" * 64}},
        {"digests": {"sha256": "1" * 64, "normalised": "2" * 64}},
        {"media_type": "image/png"},
        {"output": str(uuid.uuid4())},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_signature_over_another_statement_is_refused(
    owner: Owner, changed: dict[str, Any]
) -> None:
    refused(owner, {**owner.body(), **changed}, 422, "signature-refused")


def test_a_caller_cannot_have_their_own_words_signed(owner: Owner) -> None:
    """What the key signs is made here: a claim of the caller's own does not even have a field."""
    body = owner.body()
    said = refused(owner, {**body, "claim": "server-generated"}, 422, "invalid-document")
    assert "claim" in said
    ours = base64.b64decode(owner.stated(output=body["output"])["statement"])
    forged = ours.replace(b"caller-asserted", b"server-generated")
    signed = owner.signed({**body, "statement": base64_of(forged)}, body["chain"])
    refused(owner, signed, 422, "signature-refused")


def test_a_certificate_that_has_ended_signs_nothing(owner: Owner, real_lab: Lab) -> None:
    signed, bob = Signed.parse(owner.body()), real_lab.people.bob
    later = timezone.now() + timedelta(days=8)
    with pytest.raises(CertificateUnusable, match="to be valid at") as refusal:
        services.take(signed, by=bob, within=(), now=later)
    assert refusal.value.status_code == 422
    assert not Output.objects.exists()
    assert services.take(signed, by=bob, within=(), now=timezone.now()).state == State.SIGNED


def test_a_revoked_certificate_signs_nothing_more(owner: Owner) -> None:
    certificate = owner.certified()
    before = owner.client.post(OWN, owner.signed(owner.stated(), certificate["chain"])).json()
    late = owner.signed(owner.stated(), certificate["chain"])
    revocations.revoke(certificate["serial"], Reason.KEY_COMPROMISE)
    refused(owner, late, 409, "certificate-revoked")
    standing = owner.client.get(f"{OUTPUTS}/{before['id']}").json()["standing"]
    assert standing["state"] == "revoked"
    assert owner.client.post(OWN, owner.body()).status_code == 201  # by a new one


def test_a_withdrawn_acceptance_signs_nothing(owner: Owner, real_lab: Lab) -> None:
    body = owner.body()
    real_lab.withdraw(real_lab.people.bob)
    refused(owner, body, 403, "conduct-not-accepted")
    real_lab.accept(real_lab.people.bob)
    assert owner.client.post(OWN, body).status_code == 201


def test_a_certificate_for_something_else_signs_nothing(owner: Owner, real_lab: Lab) -> None:
    machine = join(real_lab.people.bob)
    as_node = replace(owner, key=machine.key)
    body = as_node.signed(as_node.stated(), machine.node.chain)
    refused(owner, body, 422, "certificate-unusable")


def test_a_certificate_that_is_not_listed_signs_nothing(owner: Owner) -> None:
    body = owner.body()
    Certificate.objects.all().delete()
    refused(owner, body, 422, "certificate-unusable")


@pytest.mark.parametrize(
    "changed",
    [
        {"chain": "none"},
        {"chain": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"signature": "!"},
        {"signature": base64_of(b"short")},
        {"output": "one"},
        {"output": None},
        {"digests": {"sha256": "1" * 63}},
        {"checkpoint": "step-1"},
    ],
)
def test_a_malformed_request_changes_nothing(owner: Owner, changed: dict[str, Any]) -> None:
    code = "signature-refused" if changed.get("signature", "!") != "!" else "invalid-document"
    refused(owner, {**owner.body(), **changed}, 422, code)


def test_what_is_of_no_version_that_there_is_is_refused_too(owner: Owner) -> None:
    leaf = owner.certified()["chain"].split("-----\n-----")[0] + "-----\n"
    chain = of_no_version(leaf.encode()).decode()
    refused(owner, {**owner.body(), "chain": chain}, 422, "invalid-document")
    csr = of_no_version(csr_of(owner.key).encode()).decode()
    asked = {"csr": csr, "checkpoint": as_id(owner.checkpoint.manifest_sha256)}
    answer = owner.client.post(CERTIFICATES, asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")


def test_an_unknown_checkpoint_is_refused(owner: Owner) -> None:
    unknown = f"sha256:{'0' * 64}"
    refused(owner, {**owner.body(), "checkpoint": unknown}, 404, "not-found")
    answer = owner.client.post(
        STATEMENTS, {**world.asserted_of(owner.checkpoint), "checkpoint": unknown}
    )
    assert answer.status_code == 404
    asked = {"csr": csr_of(owner.key), "checkpoint": unknown}
    assert owner.client.post(CERTIFICATES, asked).status_code == 404


def test_the_same_again_is_the_same_output(owner: Owner) -> None:
    body = owner.body()
    first, again = (owner.client.post(OWN, body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    r, s = decode_dss_signature(base64.b64decode(body["signature"]))
    mirrored = {**body, "signature": base64_of(encode_dss_signature(r, ORDER - s))}
    assert owner.client.post(OWN, mirrored).json()["id"] == first.json()["id"]
    assert Output.objects.count() == 1
    assert AuditRow.objects.filter(action="output.sign").count() == 1
    wrong = {**body, "signature": base64_of(b"another")}
    refused(owner, wrong, 422, "signature-refused")


def test_an_id_is_of_one_output(owner: Owner, real_lab: Lab) -> None:
    chain = owner.certified()["chain"]
    body = owner.signed(owner.stated(), chain)
    assert owner.client.post(OWN, body).status_code == 201
    other = owner.stated(output=body["output"], digests={"sha256": "2" * 64})
    refused(owner, owner.signed(other, chain), 409, "output-taken")
    again = replace(owner, key=SoftwareKey.generate())
    refused(
        owner,
        again.signed(again.stated(output=body["output"]), again.certified()["chain"]),
        409,
        "output-taken",
    )
    charlie = real_lab.people.charlie
    conduct.accept(owner.checkpoint.conduct, charlie.namespace, charlie)
    stranger = Owner(client=client_of(charlie, "outputs"), checkpoint=owner.checkpoint)
    refused(stranger, stranger.body(output=body["output"]), 409, "output-taken")
    ours = owner.client.post(f"{OUTPUTS}/sign", world.asserted_of(owner.checkpoint)).json()["id"]
    refused(owner, owner.signed(owner.stated(output=ours), chain), 409, "output-taken")


def test_to_say_a_statement_keeps_nothing(owner: Owner) -> None:
    asked = world.asserted_of(owner.checkpoint)
    first, again = (
        owner.client.post(STATEMENTS, asked, headers={"Idempotency-Key": "1"}) for _ in range(2)
    )
    assert first.json() == again.json()
    assert owner.stated()["output"] != first.json()["output"]
    assert not Output.objects.exists()


def test_without_the_signer_nothing_is_taken(owner: Owner, authority: Authority) -> None:
    body = owner.body()
    authority.stop()
    refused(owner, body, 503, "signer-unavailable")
    authority.start()
    assert owner.client.post(OWN, body).status_code == 201


def test_a_token_for_other_projects_is_refused(owner: Owner, real_lab: Lab) -> None:
    bob = real_lab.people.bob
    _, secret = accounts.issue_token(
        bob, "ci", ["outputs"], timezone.now() + timedelta(hours=1), projects=["lab/other"]
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    body = owner.body()
    asked = {"csr": csr_of(owner.key), "checkpoint": body["checkpoint"]}
    for path, sent in (
        (CERTIFICATES, asked),
        (STATEMENTS, world.asserted_of(owner.checkpoint)),
        (OWN, body),
    ):
        answer = client.post(path, sent)
        assert (answer.status_code, answer.json()["code"]) == (403, "token-for-other-projects")
