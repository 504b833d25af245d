# SPDX-License-Identifier: Apache-2.0
"""A witness's key is made once, of the algorithm that was asked for, and kept for itself alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.signing import cosignatures, treehead
from assay.signing.cosignatures import ED25519, ML_DSA_44, Witness
from assay.signing.errors import KeyUnusable
from assay.signing.keys import SoftwareKey
from assay.signing.witness import Algorithm, kept
from tests.signing.witness.ledgers import HONEST

KINDS = [(None, ED25519), (Algorithm.ED25519, ED25519), (Algorithm.ML_DSA_44, ML_DSA_44)]


@pytest.mark.parametrize(("algorithm", "kind"), KINDS)
def test_a_key_is_made_once_and_found_again(
    tmp_path: Path, algorithm: Algorithm | None, kind: bytes
) -> None:
    path = tmp_path / "witness.pem"
    made = Witness(name="witness.test", public_key=kept(path, algorithm).public_key())
    assert path.stat().st_mode & 0o777 == 0o600
    for again in (algorithm, None):
        found = Witness(name="witness.test", public_key=kept(path, again).public_key())
        assert (found.kind, found.text()) == (kind, made.text())


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_it_cosigns_and_its_public_key_verifies(tmp_path: Path, algorithm: Algorithm) -> None:
    key = kept(tmp_path / "witness.pem", algorithm)
    witness = Witness.parse(Witness(name="w.test", public_key=key.public_key()).text())
    head = treehead.parse(HONEST.note(3))
    note = HONEST.note(3) + cosignatures.cosign(head, key, name="w.test", at=7)
    assert cosignatures.verify(note, witness) == 7


@pytest.mark.parametrize(("has", "asked"), [tuple(Algorithm), tuple(reversed(Algorithm))])
def test_a_key_for_another_algorithm_is_refused(
    tmp_path: Path, has: Algorithm, asked: Algorithm
) -> None:
    path = tmp_path / "witness.pem"
    kept(path, has)
    with pytest.raises(KeyUnusable, match=f"expected a key for {asked}, found one for {has}"):
        kept(path, asked)


def test_a_key_that_no_witness_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "witness.pem"
    SoftwareKey.generate().store(path, None)
    with pytest.raises(KeyUnusable, match="expected an Ed25519 or ML-DSA-44 key, found ECP"):
        kept(path, None)
    path.write_bytes(b"no key")
    with pytest.raises(KeyUnusable, match="expected a private key in PEM, found none"):
        kept(path, None)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "witness.pem"
    kept(path, Algorithm.ML_DSA_44)
    path.chmod(0o640)
    with pytest.raises(KeyUnusable, match="expected a key file of mode 0600"):
        kept(path, None)
