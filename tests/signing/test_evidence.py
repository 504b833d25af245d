# SPDX-License-Identifier: Apache-2.0
"""The evidence file: it reads back as itself, and names the field that is wrong."""

from dataclasses import replace
from typing import Any

import pytest

from assay.signing import canonical
from assay.signing.errors import InvalidDocument
from assay.signing.evidence import Evidence
from tests.signing.world import World


def test_evidence_reads_back_from_its_file(world: World) -> None:
    evidence = world.evidence_for_output()
    assert Evidence.parse(canonical.loads(evidence.canonical())) == evidence


def test_an_unknown_part_is_refused(world: World) -> None:
    evidence = world.evidence_for_checkpoint()
    with pytest.raises(
        InvalidDocument,
        match="bundles: expected only output, batch, evaluation, withdrawal, checkpoint, model",
    ):
        replace(evidence, bundles={"weights": evidence.bundles["run"]})


def test_a_wrong_field_is_named_with_its_path(world: World) -> None:
    document: Any = canonical.loads(world.evidence_for_checkpoint().canonical())
    document["bundles"]["run"]["dsseEnvelope"]["payloadType"] = "text/plain"
    with pytest.raises(InvalidDocument, match=r"bundles\.run\.dsseEnvelope\.payloadType: exp"):
        Evidence.parse(document)


@pytest.mark.parametrize("field", ["type", "bundles", "manifest", "policy"])
def test_every_field_must_be_there(world: World, field: str) -> None:
    document = world.evidence_for_checkpoint().to_json()
    del document[field]
    with pytest.raises(InvalidDocument, match=f"{field}: expected a value, found no such field"):
        Evidence.parse(document)


def test_lists_may_be_left_out_and_brought_later(world: World) -> None:
    evidence = world.evidence_for_checkpoint()
    without = replace(evidence, lists=())
    assert "revocation_lists" not in without.to_json()
    parsed = Evidence.parse(canonical.loads(without.canonical()))
    assert parsed.lists == ()
    assert parsed.with_lists(evidence.lists).with_lists(evidence.lists).lists == evidence.lists
