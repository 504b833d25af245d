# SPDX-License-Identifier: Apache-2.0
"""`assay verify` of what its registry took down: verified as before, and said loudly."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from assay.signing.evidence import Part
from tests.signing.commands.desk import Desk
from tests.signing.world import AT, REGISTRY
from tests.vectors.takedowns import for_a_breach, taken_down

SAID = (
    f"{REGISTRY} took this checkpoint down on 2026-11-20, and serves it no more: "
    "A court forbade it."
)


def test_a_checkpoint_that_was_taken_down_verifies_and_says_so(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    desk.write("step-100.assay.json", taken_down(desk.world, desk.world.evidence_for_checkpoint()))
    code, out, err = desk.assay("verify", folder)
    words = " ".join(out.split())
    assert code == 0
    assert "Verified, and taken down by its registry." in words
    assert SAID in words
    assert err.startswith(f"! {SAID}")
    code, out, _ = desk.assay("verify", folder, "--json")
    assert (code, json.loads(out)["taken_down"]) == (0, SAID)


def test_so_does_an_output_of_it(desk: Desk) -> None:
    desk.pin()
    evidence = taken_down(desk.world, desk.world.evidence_for_output())
    code, out, _ = desk.assay("verify", desk.answer(evidence=evidence))
    assert code == 0
    assert SAID in " ".join(out.split())


def test_a_breach_names_its_clause_and_that_this_was_signed_in_good_standing(desk: Desk) -> None:
    desk.pin()
    evidence = desk.world.evidence_for_output()
    later = replace(for_a_breach(evidence), taken_down_at=AT + timedelta(days=3))
    evidence = taken_down(desk.world, evidence, later)
    code, out, _ = desk.assay("verify", desk.answer(evidence=evidence))
    words = " ".join(out.split())
    assert code == 0
    assert "Signed in good standing, before 2026-11-20" in words
    assert "down on 2026-11-23 for a breach of clause coc:2.1 of the conduct policy" in words
    assert words.count("It was made to defraud.") >= 1


def test_what_may_be_signed_after_a_breach_does_not_pass_for_in_good_standing(desk: Desk) -> None:
    desk.pin()
    evidence = desk.world.evidence_for_output()
    before = replace(for_a_breach(evidence), taken_down_at=AT - timedelta(days=3))
    evidence = taken_down(desk.world, evidence, before)
    code, out, _ = desk.assay("verify", desk.answer(evidence=evidence))
    words = " ".join(out.split())
    assert code == 0
    assert "It is not proven that this was signed before that." in words
    assert "good standing" not in words


def test_what_was_not_is_not_said_to_be(desk: Desk) -> None:
    desk.pin()
    code, out, err = desk.assay("verify", desk.answer())
    assert (code, "taken down" in out + err) == (0, False)


def test_the_statement_alone_is_a_bundle_like_any_other(desk: Desk) -> None:
    desk.pin()
    evidence = taken_down(desk.world, desk.world.evidence_for_checkpoint())
    bundle = desk.folder / "takedown.bundle.json"
    bundle.write_text(json.dumps(evidence.bundles[Part.TAKEDOWN].to_json()))
    lists = desk.lists("lists.pem")
    code, out, _ = desk.assay("verify", bundle, "--crl", lists)
    assert (code, "https://assay/takedown/v1" in out) == (0, True)
