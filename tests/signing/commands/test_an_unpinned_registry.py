# SPDX-License-Identifier: Apache-2.0
"""Genuine evidence of a registry that is not pinned: that is what is said, and what would help."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.signing.commands.desk import Desk
from tests.signing.world import AT, World

OTHER = "http://other.test"
SALT = b"\x07" * 32


def stranger(*, salt: bytes | None = None) -> World:
    return World.create(at=AT, registry=OTHER, salt=salt)


@pytest.mark.parametrize("salt", [None, SALT])
def test_that_its_registry_is_not_pinned_is_the_reason(desk: Desk, salt: bytes | None) -> None:
    desk.pin()
    answer = desk.answer(evidence=stranger(salt=salt).evidence_for_output())
    code, out, err = desk.assay("verify", answer)
    assert (code, out) == (23, "")
    assert f"by its own word this comes from {OTHER}, which is not pinned here" in err
    assert "(pinned: http://registry.test)" in err
    assert "That word is anybody's" in err
    assert err.endswith(f"assay trust add {OTHER}")
    code, out, _ = desk.assay("verify", answer, "--json")
    assert (code, json.loads(out)["error"]["code"]) == (23, "no-trust-root")


def test_a_checkpoint_and_a_model_signature_are_told_so_too(desk: Desk) -> None:
    desk.pin(stranger())
    folder = desk.checkpoint()
    code, _, err = desk.assay("verify", folder)
    assert (code, "comes from http://registry.test, which is not pinned" in err) == (23, True)


def test_once_it_is_pinned_it_verifies(desk: Desk) -> None:
    other = stranger(salt=SALT)
    for world in (desk.world, other):
        desk.pin(world)
    assert desk.assay("verify", desk.answer(evidence=other.evidence_for_output()))[0] == 0


def test_what_demands_witnesses_says_so_only_of_its_own_registry(desk: Desk) -> None:
    desk.pin()
    evidence = stranger().evidence_for_output()
    code, _, err = desk.assay("verify", desk.answer(evidence=evidence), "--as-of", "evidence")
    assert (code, OTHER in err) == (23, True)


def test_another_authority_under_a_pinned_name_is_no_stranger(desk: Desk) -> None:
    desk.pin(World.create(at=AT))
    code, out, err = desk.assay("verify", desk.answer())
    assert (code, "trust add" in out + err) == (13, False)


def test_of_two_registries_none_is_proposed(desk: Desk) -> None:
    desk.pin(World.create(at=AT, registry="http://third.test"))
    mixed = desk.world.evidence_for_output()
    other = stranger().evidence_for_output()
    bundles = {**mixed.bundles, "conduct": other.bundles["conduct"]}
    code, out, err = desk.assay("verify", desk.answer(evidence=replace(mixed, bundles=bundles)))
    assert code != 23
    assert "trust add" not in out + err
