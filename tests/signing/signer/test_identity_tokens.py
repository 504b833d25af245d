# SPDX-License-Identifier: Apache-2.0
"""The signer vouches for people to Sigstore, for nobody else and to nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from assay.signing.signer.ceremony import AUDIT_FILE
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import BadRequest, StorageUnavailable
from assay.signing.signer.identities import TOKEN_KEY_FILE
from tests.signing.signer.worlds import ALICE, REGISTRY


def test_a_token_verifies_under_the_key_that_is_shown(client: SignerClient) -> None:
    key = ECKey.import_key(dict(client.token_key()))
    token = jwt.decode(client.sign_token(ALICE, "sigstore", nonce="n"), key)
    assert (token.claims["iss"], token.claims["sub"]) == (REGISTRY, ALICE)
    assert token.claims["nonce"] == "n"


def test_each_has_a_number_that_is_written_down(client: SignerClient, folder: Path) -> None:
    key = ECKey.import_key(dict(client.token_key()))
    tokens = [jwt.decode(client.sign_token(ALICE, "sigstore"), key) for _ in range(2)]
    lines = [json.loads(line) for line in (folder / AUDIT_FILE).read_bytes().splitlines()]
    written = [line["token_id"] for line in lines if line["op"] == "sign_token"]
    assert written == [token.claims["jti"] for token in tokens]
    assert len(set(written)) == 2


@pytest.mark.parametrize(
    "subject",
    [
        REGISTRY,
        f"{REGISTRY}/",
        f"{REGISTRY}/nodes/7",
        f"{REGISTRY}/Alice",
        "https://other.example/alice",
        f"{REGISTRY}/alice?admin",
    ],
)
def test_nobody_but_a_person_of_ours_is_vouched_for(client: SignerClient, subject: str) -> None:
    with pytest.raises(BadRequest, match="subject: expected"):
        client.sign_token(subject, "sigstore")


def test_no_other_audience_is_served(client: SignerClient) -> None:
    with pytest.raises(BadRequest, match="audience: expected sigstore"):
        client.sign_token(ALICE, "https://other.example")


def test_the_key_is_kept_and_encrypted(client: SignerClient, folder: Path) -> None:
    keys = [client.token_key() for _ in range(2)]
    assert keys[0] == keys[1]
    assert b"ENCRYPTED" in (folder / TOKEN_KEY_FILE).read_bytes()
    assert (folder / TOKEN_KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_a_key_that_cannot_be_made_signs_nothing(client: SignerClient, folder: Path) -> None:
    (folder / TOKEN_KEY_FILE).mkdir(mode=0o700)
    with pytest.raises(StorageUnavailable, match=TOKEN_KEY_FILE):
        client.sign_token(ALICE, "sigstore")
