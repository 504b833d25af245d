# SPDX-License-Identifier: Apache-2.0
"""The signer signs TUF's online roles, for as long as they should be, and never a root."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from assay.signing import canonical
from assay.signing.signer.client import SignerClient
from assay.signing.signer.distribution import DISTRIBUTION_KEY_FILE
from assay.signing.signer.errors import BadRequest, StorageUnavailable
from tests.signing.signer.worlds import BORN


def metadata(**more: Any) -> bytes:  # noqa: ANN401 - JSON
    expires = canonical.instant_text(BORN + timedelta(days=7))
    stated = {
        "_type": "timestamp",
        "expires": expires,
        "meta": {},
        "spec_version": "1.0.31",
        "version": 1,
    }
    return canonical.dumps({**stated, **more})


def test_what_it_signs_verifies_under_the_key_that_it_shows(client: SignerClient) -> None:
    key = load_der_public_key(client.distribution_key())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signature = client.sign_metadata(metadata())
    key.verify(signature, metadata(), ec.ECDSA(hashes.SHA256()))


FAR = canonical.instant_text(BORN + timedelta(days=9))


@pytest.mark.parametrize(
    "changed",
    [
        metadata(_type="root"),
        metadata(spec_version="2.0.0"),
        metadata(expires=FAR),
        metadata(expires=canonical.instant_text(BORN)),
        metadata(expires="soon"),
        metadata(version=0),
        metadata(delegations={}),
        metadata() + b" ",
        b"{}",
    ],
)
def test_nothing_else_is_signed(client: SignerClient, changed: bytes) -> None:
    with pytest.raises(BadRequest, match="expected"):
        client.sign_metadata(changed)


def test_targets_may_be_for_longer(client: SignerClient) -> None:
    assert client.sign_metadata(metadata(_type="targets", expires=FAR))


def test_a_key_that_cannot_be_made_signs_nothing(client: SignerClient, folder: Path) -> None:
    (folder / DISTRIBUTION_KEY_FILE).mkdir(mode=0o700)
    with pytest.raises(StorageUnavailable, match=DISTRIBUTION_KEY_FILE):
        client.distribution_key()
