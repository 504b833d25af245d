# SPDX-License-Identifier: Apache-2.0
"""A party accepts with a key of its own: verified, committed to in the ledger, given back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from assay.signing import canonical
from assay.signing.digests import sha256
from assay.signing.keys import Curve, SoftwareKey, spki
from assay.signing.statements import (
    ACCEPTANCE_V1,
    AcceptanceClaim,
    Consent,
    ConsentClaim,
    Statement,
)
from registry.audit.models import AuditRow
from registry.conduct import queries, services, standing
from registry.conduct.errors import ConsentRefused
from registry.conduct.models import Acceptance
from tests.registry.conduct.house import House
from tests.registry.people import browser, client_of, in_session

URL = "/api/v1/conduct/house-rules/1.0/acceptances"
KEY = SoftwareKey.generate()
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, 2.4.2


def claim(house: House) -> ConsentClaim:
    """What Alice has to sign for herself, now."""
    return ConsentClaim(
        conduct=queries.reference(house.first),
        text_sha256=sha256(house.first.text.encode()),
        party=house.people.alice.namespace.uri,
        agreed_at=timezone.now().replace(microsecond=0),
    )


def consent(house: House, key: SoftwareKey = KEY) -> Consent:
    return Consent.by(key, claim(house))


def of(changed: ConsentClaim) -> Consent:
    return Consent.by(KEY, changed)


def other_form(of: Consent) -> Consent:
    """The same signature as anybody can write it without the key."""
    r, s = decode_dss_signature(of.envelope.signature)
    signature = encode_dss_signature(r, P256_ORDER - s)
    return replace(of, envelope=replace(of.envelope, signature=signature))


def accept(house: House, given: Consent | None = None) -> Acceptance:
    alice = house.people.alice
    return services.accept(house.first, alice.namespace, alice, given)


def test_the_ledger_commits_to_what_the_key_signed(house: House) -> None:
    given = consent(house)
    acceptance = accept(house, given)
    payload = bytes(acceptance.statement.payload)
    found = AcceptanceClaim.parse(Statement.parse(payload))
    assert found.consent == given.commitment(bytes(acceptance.salt))
    for said in (b"alice", given.key_sha256.encode(), sha256(given.key).encode()):
        assert said not in payload
    assert acceptance.signed == given
    row = AuditRow.objects.get(action="conduct.accept")
    assert row.details["key"] == given.key_sha256
    assert standing.is_good(house.people.alice.namespace, house.first)


def test_without_a_key_the_statement_is_as_before(house: House) -> None:
    acceptance = accept(house)
    assert acceptance.statement.predicate_type == ACCEPTANCE_V1
    assert acceptance.signed is None


def test_accepting_over_http_answers_what_was_signed(house: House) -> None:
    given, alice = consent(house), client_of(house.people.alice, "publish")
    answer = alice.post(URL, {"consent": given.to_json()}, format="json")
    assert answer.status_code == 201
    expected = {**given.to_json(), "key_sha256": given.key_sha256}
    assert answer.json()["consent"] == expected
    assert alice.get(f"{URL}/alice").json() == answer.json()
    assert in_session(house.people.alice).get(f"{URL}/alice").json()["consent"] == expected


def test_an_acceptance_is_read_by_whoever_decides_for_the_party(house: House) -> None:
    services.accept(house.first, house.people.lab.namespace, house.people.alice)
    assert client_of(house.people.alice, "publish").get(f"{URL}/lab").json()["consent"] is None
    for person in (house.people.bob, house.people.charlie):
        answer = client_of(person, "publish").get(f"{URL}/lab")
        assert (answer.status_code, answer.json()["code"]) == (403, "not-your-name")
    assert client_of(None).get(f"{URL}/lab").status_code == 401
    answer = client_of(house.people.alice, "publish").get(f"{URL}/alice")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


Make = Callable[[ConsentClaim, House], Consent]
WRONG: dict[str, tuple[Make, str]] = {
    "another version": (
        lambda good, _: of(replace(good, conduct=replace(good.conduct, version="1.1"))),
        "expected house-rules@1.0",
    ),
    "another document": (
        lambda good, _: of(replace(good, conduct=replace(good.conduct, sha256="00" * 32))),
        "expected house-rules@1.0",
    ),
    "another text": (
        lambda good, _: of(replace(good, text_sha256="00" * 32)),
        "expected the text sha256:",
    ),
    "another party": (
        lambda good, house: of(replace(good, party=house.people.lab.namespace.uri)),
        "expected the party http://localhost:8000/alice, found 'http://localhost:8000/lab'",
    ),
    "an old one": (
        lambda good, _: of(replace(good, agreed_at=good.agreed_at - timedelta(minutes=6))),
        "expected a time within 5 minutes of",
    ),
    "one of tomorrow": (
        lambda good, _: of(replace(good, agreed_at=good.agreed_at + timedelta(days=1))),
        "expected a time within 5 minutes of",
    ),
    "another's key": (
        lambda good, _: replace(of(good), key=spki(SoftwareKey.generate().public_key)),
        "expected a signature by this P-256 key",
    ),
    "a key on another curve": (
        lambda good, _: replace(of(good), key=spki(SoftwareKey.generate(Curve.P384).public_key)),
        "expected a P-256 key",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_the_key_did_not_sign_for_this_is_refused(house: House, wrong: str) -> None:
    make, said = WRONG[wrong]
    answer = client_of(house.people.alice, "publish").post(
        URL, {"consent": make(claim(house), house).to_json()}, format="json"
    )
    assert answer["Content-Type"] == "application/problem+json"
    found = answer.json()
    assert (answer.status_code, found["code"]) == (422, "conduct-consent-refused")
    assert said in found["detail"]
    assert not Acceptance.objects.exists()
    assert not AuditRow.objects.filter(action="conduct.accept").exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([], "consent.consent"),
        ({"key": "AA=="}, "consent.envelope"),
        ({"envelope": {}, "key": "AA=="}, "consent.envelope.payloadType"),
    ],
)
def test_what_is_no_consent_is_refused(house: House, given: object, field: str) -> None:
    alice = client_of(house.people.alice, "publish")
    answer = alice.post(URL, {"consent": given}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-document")
    assert answer.json()["errors"][0]["field"] == field
    assert not Acceptance.objects.exists()


def test_a_key_besides_is_another_acceptance_and_one_again_is_none(house: House) -> None:
    plain = accept(house)
    signed = accept(house, consent(house))
    assert signed != plain
    assert accept(house, consent(house)) == signed
    assert accept(house) == signed
    assert accept(house, consent(house, SoftwareKey.generate())) not in {plain, signed}
    assert Acceptance.objects.filter(withdrawn_at=None).count() == 3
    services.withdraw(house.first, house.people.alice.namespace, house.people.alice)
    assert not Acceptance.objects.filter(withdrawn_at=None).exists()
    row = AuditRow.objects.get(action="conduct.withdraw")
    assert row.details["versions"] == ["house-rules@1.0"]


def test_one_that_ended_is_not_given_again_in_either_form(house: House) -> None:
    given = consent(house)
    accept(house, given)
    services.withdraw(house.first, house.people.alice.namespace, house.people.alice)
    for again in (given, other_form(given)):
        assert again.claim() == given.claim()
        with pytest.raises(ConsentRefused, match="not given before"):
            accept(house, again)
    before = given.claim().agreed_at - timedelta(seconds=1)
    anew = of(replace(claim(house), agreed_at=before))
    assert accept(house, anew).signed == anew


@pytest.mark.parametrize(
    "change",
    [
        {"consent": None, "key": None},
        {"key": b"other"},
        {"withdrawn_at": timezone.now(), "key": b""},
    ],
)
def test_the_database_keeps_what_was_signed(house: House, change: dict[str, Any]) -> None:
    accept(house, consent(house))
    with pytest.raises(IntegrityError, match="only withdrawn"), transaction.atomic():
        Acceptance.objects.update(**change)


def test_openssl_verifies_what_the_page_gives(house: House, tmp_path: Path) -> None:
    acceptance = accept(house, consent(house))
    client = browser(house.people.alice)
    page = client.get("/settings/conduct").content.decode()
    assert "Signed with a key of its own" in page
    assert sha256(spki(KEY.public_key)) in page
    for name in ("consent.json", "key.pem", "signed.bin", "signature.der"):
        path = f"/settings/conduct/{acceptance.pk}/{name}"
        assert f'href="{path}"' in page
        (tmp_path / name).write_bytes(client.get(path).content)
    command = "openssl dgst -sha256 -verify key.pem -signature signature.der signed.bin"
    assert command in page
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == b"Verified OK\n"
    envelope = canonical.as_mapping(canonical.loads((tmp_path / "consent.json").read_bytes()), "x")
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    (tmp_path / "signed.bin").write_bytes((tmp_path / "signed.bin").read_bytes() + b" ")
    failed = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False)
    assert (failed.returncode, failed.stdout) == (1, b"Verification failure\n")


def test_nobody_else_has_its_pieces(house: House, client: Client) -> None:
    lab = house.people.lab.namespace
    signed = accept(house, consent(house))
    plain = services.accept(house.first, lab, house.people.alice)
    for person in (house.people.bob, house.dora):
        assert browser(person).get(f"/settings/conduct/{signed.pk}/key.pem").status_code == 404
    assert client.get(f"/settings/conduct/{signed.pk}/key.pem").status_code == 302
    alice = browser(house.people.alice)
    for path in (f"{plain.pk}/key.pem", f"{signed.pk}/other", f"{10**20}/key.pem"):
        assert alice.get(f"/settings/conduct/{path}").status_code == 404
