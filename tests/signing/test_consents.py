# SPDX-License-Identifier: Apache-2.0
"""What a party signs with a key of its own, by the vectors; and what the ledger has of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from assay.signing import canonical, keys
from assay.signing.canonical import instant_text
from assay.signing.digests import sha256
from assay.signing.errors import AssayError, InvalidDocument, KeyUnusable
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.statements import (
    CONSENT_V1,
    PURPOSE_OF,
    AcceptanceClaim,
    Consent,
    Statement,
    commit,
    party_commitment,
)
from tests.vectors.consents import consent_claim

VECTORS: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "consents.json").read_bytes()
)
SALT = bytes.fromhex(VECTORS["salt"])
GOOD = VECTORS["consent"]


def test_the_key_says_what_it_signed() -> None:
    consent = Consent.parse(GOOD)
    claim = consent.claim()
    assert claim == consent_claim()
    assert claim.statement().canonical().decode() == VECTORS["statement"]
    assert (claim.party, claim.text_sha256) == (VECTORS["party"], VECTORS["text_sha256"])
    assert instant_text(claim.agreed_at) == VECTORS["agreed_at"]
    assert consent.key_sha256 == VECTORS["key_sha256"]
    assert consent.to_json() == GOOD
    public = load_pem_public_key(consent.pem)
    assert keys.spki(keys.p256(consent.key)) == consent.key
    assert isinstance(public, type(keys.p256(consent.key)))


def test_the_acceptance_commits_to_it_and_says_nothing_of_it() -> None:
    text = VECTORS["acceptance"]
    claim = AcceptanceClaim.parse(Statement.parse(text.encode()))
    consent = Consent.parse(GOOD)
    envelope = canonical.dumps(GOOD["envelope"])
    digests = {"envelope": sha256(envelope), "key": VECTORS["key_sha256"]}
    assert claim.commitment == party_commitment(SALT, VECTORS["party"])
    assert claim.consent == consent.commitment(SALT) == commit(SALT, {"consent": digests})
    for said in (VECTORS["party"], VECTORS["key_sha256"], sha256(envelope)):
        assert said not in text


def test_another_key_or_salt_is_another_commitment() -> None:
    consent = Consent.parse(GOOD)
    other = replace(consent, key=keys.spki(SoftwareKey.generate().public_key))
    found = {each.commitment(salt) for each in (consent, other) for salt in (SALT, bytes(32))}
    assert len(found) == 4


@pytest.mark.parametrize("refused", VECTORS["refused"], ids=lambda one: one["why"])
def test_what_is_no_consent_is_refused(refused: Mapping[str, Any]) -> None:
    with pytest.raises(AssayError) as caught:
        Consent.parse(refused["consent"]).claim()
    assert caught.value.code == refused["code"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "consent: expected an object"),
        ({"envelope": GOOD["envelope"]}, "key: expected a value"),
        ({**GOOD, "more": 1}, "'more': expected no such field"),
        ({**GOOD, "key": "x"}, "key: expected bytes in standard padded base64"),
        ({**GOOD, "envelope": {}}, "envelope.payloadType: expected"),
    ],
)
def test_what_has_another_form_is_refused(value: object, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        Consent.parse(value)


def test_only_a_key_on_p256_signs_one() -> None:
    with pytest.raises(KeyUnusable, match="expected a P-256 key, found P-384"):
        Consent.by(SoftwareKey.generate(Curve.P384), consent_claim())


def test_no_certificate_is_for_consents() -> None:
    """They are the party's own: nothing that a registry's key could sign in its place."""
    assert consent_claim().statement().predicate_type == CONSENT_V1
    assert CONSENT_V1 not in PURPOSE_OF
