# SPDX-License-Identifier: Apache-2.0
"""`assay verify --acceptance`: who signed had accepted the rules, by their own showing."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from assay.signing.acceptance import AcceptanceEvidence
from assay.signing.certificates import Purpose
from assay.signing.commands import many, methods, verify
from assay.signing.commands.pins import Pins
from assay.signing.digests import as_id
from assay.signing.keys import SoftwareKey
from assay.signing.pack import Pack
from assay.signing.revocation import Reason, Revocation
from assay.signing.statements import Consent
from assay.signing.trust import Pinned
from tests.signing.accepting import Accepting, accepted, consent_claim
from tests.signing.commands.desk import Desk, words_of
from tests.signing.descending import lineage, output_of
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, World


def shown(desk: Desk, evidence: AcceptanceEvidence, name: str = "accepted.json") -> Path:
    """What a party shows, in a file."""
    path = desk.folder / name
    path.write_bytes(evidence.canonical())
    return path


@pytest.fixture
def alice(desk: Desk) -> Path:
    """What Alice accepted before she signed anything."""
    desk.pin()
    return shown(desk, accepted(desk.world))


def test_it_stands_below_what_its_party_signed(desk: Desk, alice: Path) -> None:
    code, out, err = desk.assay("verify", desk.answer(), "--acceptance", alice)
    assert (code, err) == (0, "")
    assert "acceptance 1" in out
    assert "11 of 11 steps passed: community-language-models, version 1.0" in words_of(out)
    assert (
        "http://registry.test/alice accepted community-language-models, version 1.0, on "
        "2026-11-20, in entry 0 of the ledger, before they signed the output and the checkpoint."
    ) in words_of(out)


def test_a_key_of_their_own_is_named(desk: Desk) -> None:
    desk.pin()
    consent = Consent.by(SoftwareKey.generate(), consent_claim(desk.world))
    path = shown(desk, accepted(desk.world, Accepting(consent=consent)))
    answer = desk.answer()
    code, out, _ = desk.assay("verify", answer, "--acceptance", path)
    key = as_id(consent.key_sha256)
    said = f"The key {key[:19]}… signed it, too; whose that is, they say."
    assert (code, said in words_of(out)) == (0, True)
    code, out, _ = desk.assay("verify", answer, "--acceptance", path, "--json")
    (found,) = json.loads(out)["acceptances"]
    assert (code, found["consent_key"], found["of"]) == (0, key, ["output", "checkpoint"])
    assert found["party"] == "http://registry.test/alice"
    (output,) = json.loads(out)["tree"][:1]
    assert "acceptance-1" in [each["part"] for each in output["below"]]


def test_one_of_somebody_else_is_not_passed_over_in_silence(desk: Desk) -> None:
    desk.pin()
    path = shown(desk, accepted(desk.world, Accepting(party="bob")))
    answer = desk.answer()
    code, out, err = desk.assay("verify", answer, "--acceptance", path)
    assert (code, out) == (22, "")
    assert "found that of 'http://registry.test/bob' to sha256:" in err
    later = shown(desk, accepted(desk.world), "later.json")
    assert desk.assay("verify", answer, "--acceptance", later)[0] == 22
    assert desk.assay("verify", answer, answer, "--acceptance", later, "--brief")[0] == 22


def test_what_is_no_acceptance_is_of_nobody(desk: Desk, alice: Path) -> None:
    found = AcceptanceEvidence.parse(json.loads(alice.read_bytes()))
    conduct = desk.world.evidence_for_checkpoint().bundles["conduct"]
    nobody = replace(found.opening, party="http://registry.test/nobody")
    path = shown(desk, replace(found, bundle=conduct, opening=nobody))
    code, _, err = desk.assay("verify", desk.answer(), "--acceptance", path)
    assert (code, "to what is no policy" in err) == (22, True)


def test_one_that_fails_is_spelt_out(desk: Desk, alice: Path) -> None:
    found = AcceptanceEvidence.parse(json.loads(alice.read_bytes()))
    salted = replace(found, opening=replace(found.opening, salt=bytes(32)))
    code, out, _ = desk.assay("verify", desk.answer(), "--acceptance", shown(desk, salted))
    assert (code, "opening" in out) == (44, True)
    assert "8 of 11 steps passed" in words_of(out)


def test_what_was_revoked_since_is_said(desk: Desk, alice: Path) -> None:
    """Its certificate was revoked, and witnesses prove that it was used before."""
    witnesses = Witnesses(world=desk.world)
    trust = desk.world.trust
    pin = Pinned(root=trust, pinned_at=AT, pinned_from=trust.registry, policy=witnesses.text())
    Pins.of_user().add(pin)
    found = AcceptanceEvidence.parse(json.loads(alice.read_bytes()))
    serial = found.bundle.chain.leaf.serial_number
    office = Revocation(
        serial=serial, revoked_at=AT + timedelta(seconds=1), reason=Reason.SUPERSEDED
    )
    evidence = witnesses.evidence(desk.world.evidence_for_output(), w1=AT, w2=AT)
    seen = replace(
        found,
        bundle=witnesses.bundle(found.bundle, w1=AT, w2=AT),
        lists=tuple(desk.world.lists({Purpose.CONDUCT.value: office})),
    )
    answer = desk.answer(evidence=evidence)
    code, out, _ = desk.assay("verify", answer, "--acceptance", shown(desk, seen))
    said = "Of the acceptance-1, these certificates were revoked, but its signature is proven"
    assert (code, said in words_of(out)) == (0, True)


def test_a_pack_carries_what_was_shown(desk: Desk, alice: Path) -> None:
    (base,) = lineage(desk.world, 1)
    answer = desk.answer(evidence=output_of(desk.world, base))
    path = desk.folder / "out.assay-pack"
    words = ("--base", desk.write("base.json", base), "--acceptance", alice, "--pack", path)
    code, out, err = desk.assay("verify", answer, *words)
    assert (code, "Wrote" in err) == (0, True), out + err
    assert len(Pack.parse(path.read_bytes()).acceptances) == 1
    for pin in Pins.of_user().all():
        Pins.of_user().remove(pin)
    root = as_id(desk.world.trust.fingerprint)
    named = ("verify", path, "--fingerprint", root, "--as-of", "now")
    code, out, _ = desk.assay(*named)
    said = "the output and the checkpoint and the checkpoint alice/tiny@step-100 (sha256:"
    assert (code, f"before they signed {said}" in words_of(out)) == (0, True)
    code, out, _ = desk.assay(*named, "--json")
    (accepted_by,) = json.loads(out)["acceptances"]
    assert (code, accepted_by["of"]) == (0, ["output", "checkpoint", "base-1"])
    again = desk.folder / "again.assay-pack"
    assert desk.assay(*named, "--acceptance", alice, "--pack", again)[0] == 0
    assert again.read_bytes() == path.read_bytes()


def test_a_pack_has_none_that_nobody_signed_by(desk: Desk, world: World) -> None:
    """Another's stands in a pack without a word, as a base does that nothing names."""
    desk.pin()
    other = accepted(desk.world, Accepting(party="bob"))
    path = desk.folder / "out.assay-pack"
    assert desk.assay("verify", desk.answer(), "--pack", path)[0] == 0
    pack = replace(Pack.parse(path.read_bytes()), acceptances=(other,))
    path.write_bytes(pack.canonical())
    code, out, _ = desk.assay("verify", path, "--as-of", "now")
    assert (code, "acceptance" in out) == (0, False)


def test_what_cannot_be_read_is_said(desk: Desk, alice: Path) -> None:
    assert desk.assay("verify", desk.answer(), "--acceptance", desk.folder / "none")[0] == 30
    code, _, err = desk.assay("verify", desk.answer(), "--acceptance", desk.answer())
    assert (code, "answer.json." in err) == (10, True)


def test_of_many_files_this_process_judges_all(desk: Desk, alice: Path) -> None:
    """What is sent to others is words and bytes, and an acceptance is neither."""
    answer = desk.answer()
    paths = [answer] * many.FROM
    code, out, _ = desk.assay("verify", *paths, "--acceptance", alice, "--brief")
    assert (code, f"{many.FROM} of {many.FROM} verified." in out) == (0, True)


def test_lists_are_heard_of_each_by_itself(desk: Desk) -> None:
    """Nine, each with lists of its own: together more than may be beside one another."""
    desk.pin()
    words: list[object] = []
    for number in range(9):
        found = accepted(desk.world, Accepting(salt=bytes([number]) * 32))
        found = replace(found, lists=tuple(desk.world.lists()))
        words += ["--acceptance", shown(desk, found, f"{number}.json")]
    code, out, _ = desk.assay("verify", desk.answer(), *words)
    assert (code, "acceptance 9" in out) == (0, True)
    other = accepted(desk.world, Accepting(party="carol"))
    path = desk.folder / "out.assay-pack"
    assert desk.assay("verify", desk.answer(), "--pack", path)[0] == 0
    odd = replace(other, lists=(b"no list",))
    path.write_bytes(replace(Pack.parse(path.read_bytes()), acceptances=(odd,)).canonical())
    assert desk.assay("verify", path, "--as-of", "now")[0] == 0


def test_no_demand_is_passed_over_where_another_method_verifies(desk: Desk, alice: Path) -> None:
    """Every word of `assay verify` is for one kind of signature, or for both."""
    words = ("verify", desk.checkpoint(), "--method", "key", "--public-key", desk.folder / "k")
    assert desk.assay(*words, "--acceptance", alice)[0] == 2
    parser = argparse.ArgumentParser()
    verify.add_arguments(parser)
    both = {"paths", "json", "method", "help"}
    named = {each.dest for each in parser._actions}  # nothing public lists them
    assert named - {*methods.OURS, *methods.REGISTRYS} == both
