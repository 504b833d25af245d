# SPDX-License-Identifier: Apache-2.0
"""Ledger entries: one form for each kind, which a bundle states and a verifier rebuilds."""

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.signing import canonical, entries, merkle
from assay.signing.bundle import Bundle, ledger_leaf
from assay.signing.certificates import Chain
from assay.signing.entries import EntryKind
from assay.signing.envelope import Envelope
from assay.signing.errors import InvalidDocument, NotInLedger
from assay.signing.verify import verify_model
from tests.signing.world import FILES, World, manifest_of

VECTOR: Any = json.loads((Path(__file__).parents[1] / "vectors" / "entries.json").read_text())


@pytest.mark.parametrize("entry", VECTOR["entries"], ids=lambda entry: entry["kind"])
def test_the_vectors_hold(entry: dict[str, str]) -> None:
    envelope = Envelope.parse(VECTOR["envelope"])
    chain = Chain.parse([b64decode(der) for der in VECTOR["chain"]])
    kind = EntryKind(entry["kind"])
    body = ledger_leaf(envelope, chain.leaf, kind)
    assert body.decode() == entry["body"]
    assert entries.kind_of(body) is kind
    assert canonical.dumps(canonical.loads(body)) == body


def test_an_envelope_s_canonical_bytes_are_those_of_its_json() -> None:
    envelope = Envelope.parse(VECTOR["envelope"])
    assert envelope.canonical() == canonical.dumps(envelope.to_json())


@pytest.mark.parametrize("body", [b"{}", b'{"apiVersion":"0.0.9","kind":"dsse"}'])
def test_another_kind_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidDocument):
        entries.kind_of(body)


def logged_as(world: World, kind: EntryKind, stated: EntryKind) -> Bundle:
    """A model signature whose entry is of one kind, and stated to be of one."""
    made = world.model_signature()
    body = ledger_leaf(made.envelope, made.chain.leaf, kind)
    world.entries[-1] = merkle.leaf_hash(body)
    proof = replace(made.proof, root=world.entries[-1], note=world.note())
    bundle = replace(made, proof=proof, entry=body, kind=stated)
    return Bundle.parse(canonical.loads(canonical.dumps(bundle.to_json())))


@pytest.mark.parametrize("kind", EntryKind)
def test_a_bundle_of_each_kind_verifies(world: World, kind: EntryKind) -> None:
    bundle = logged_as(world, kind, kind)
    assert bundle.kind is kind
    assert verify_model(bundle, basis=world.basis(), files=manifest_of(FILES)).kind == "model"


@pytest.mark.parametrize("kind", EntryKind)
def test_an_entry_of_another_kind_than_it_says_is_refused(world: World, kind: EntryKind) -> None:
    (other,) = set(EntryKind) - {kind}
    with pytest.raises(NotInLedger):
        verify_model(logged_as(world, kind, other), basis=world.basis(), files=manifest_of(FILES))
