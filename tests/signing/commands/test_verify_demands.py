# SPDX-License-Identifier: Apache-2.0
"""`assay verify` asks who signed it, which witnesses saw it, and what was revoked by when."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timedelta

import pytest

from assay.signing import ocsp
from assay.signing.certificates import Purpose
from assay.signing.commands import verify
from assay.signing.commands.pins import Pins
from assay.signing.commands.terminal import Terminal
from assay.signing.cosignatures import UNSAID
from assay.signing.crls import Period
from assay.signing.evidence import Evidence
from assay.signing.revocation import Missing, NotRevoked, Reason, Revocation
from assay.signing.trust import Pinned
from tests.signing.commands.desk import Desk, words_of
from tests.signing.pki import of_no_version
from tests.signing.revoking import PERIOD, Case, question, responder_of
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, LISTS_LAST, TEXT, World

SECOND = timedelta(seconds=1)
LATE = "2099-01-01T00:00:00Z"


@pytest.fixture
def witnesses(desk: Desk) -> Witnesses:
    found = Witnesses(world=desk.world)
    (desk.folder / "policy").write_text(found.text())
    return found


def stolen(evidence: Evidence) -> Revocation:
    """Of Alice's leaf for outputs: made in an hour, with effect from a minute after the present."""
    return Revocation(
        serial=evidence.bundles["output"].chain.leaf.serial_number,
        revoked_at=AT + timedelta(hours=1),
        reason=Reason.KEY_COMPROMISE,
        invalid_from=AT + timedelta(minutes=1),
    )


def revoked(desk: Desk, evidence: Evidence) -> tuple[bytes, ...]:
    """Lists that say so."""
    return desk.world.lists({Purpose.OUTPUT.value: stolen(evidence)})


def test_lists_that_have_ended_fail_with_a_code_of_their_own(desk: Desk) -> None:
    desk.pin()
    code, out, _ = desk.assay("verify", desk.answer(), "--as-of", LATE)
    words = " ".join(out.split())
    assert (code, out.count("✘")) == (27, 5)
    assert "expected a current statement of its issuer about the leaf certificate" in words.lower()
    assert "Newer lists, to be given with --crl FILE: http://registry.test/authority/crls" in words


def test_an_ocsp_answer_may_say_what_no_list_does(desk: Desk) -> None:
    desk.pin()
    evidence, issuer = desk.world.evidence_for_output(), desk.world.issuers[Purpose.OUTPUT]
    case = Case(certificate=evidence.bundles["output"].chain.leaf, issuer=issuer)
    by = responder_of(issuer, log=desk.world.log_key)
    words = ("verify", desk.answer(evidence=evidence), "--as-of", f"{AT:%Y-%m-%dT%H:%M:%SZ}")
    found = []
    for finding in (NotRevoked(said_at=AT), Missing(), case.revocation()):
        told = desk.folder / "answer.ocsp"
        told.write_bytes(ocsp.respond(question(case), finding, responder=by, period=PERIOD))
        found.append(desk.assay(*words, "--ocsp", told)[0])
    assert found == [0, 0, 26]
    code, out, _ = desk.assay(*words, "--ocsp", desk.lists("lists.pem"))
    assert (code, "expected an OCSP answer in DER" in " ".join(out.split())) == (25, True)


def test_an_ocsp_answer_of_today_speaks_of_a_past_moment_too(desk: Desk) -> None:
    desk.pin()
    evidence, issuer = desk.world.evidence_for_output(), desk.world.issuers[Purpose.OUTPUT]
    case = Case(certificate=evidence.bundles["output"].chain.leaf, issuer=issuer)
    later = AT + timedelta(days=30)
    by = responder_of(issuer, log=desk.world.log_key, at=later)
    told = desk.folder / "answer.ocsp"
    period = Period(this_update=later, next_update=later + timedelta(days=1))
    told.write_bytes(ocsp.respond(question(case), Missing(), responder=by, period=period))
    words = ("verify", desk.answer(evidence=evidence), "--as-of", f"{AT:%Y-%m-%dT%H:%M:%SZ}")
    assert desk.assay(*words, "--ocsp", told)[0] == 0


@pytest.mark.parametrize(("seen_after", "code"), [(59 * SECOND, 0), (60 * SECOND, 26)])
def test_an_ocsp_answer_says_since_when_a_key_was_stolen(
    desk: Desk, witnesses: Witnesses, seen_after: timedelta, code: int
) -> None:
    desk.pin()
    evidence = witnesses.evidence(desk.world.evidence_for_output(), w1=AT, w3=AT + seen_after)
    issuer = desk.world.issuers[Purpose.OUTPUT]
    case = Case(certificate=evidence.bundles["output"].chain.leaf, issuer=issuer)
    by = responder_of(issuer, log=desk.world.log_key)
    told = desk.folder / "answer.ocsp"
    told.write_bytes(ocsp.respond(question(case), stolen(evidence), responder=by, period=PERIOD))
    words = ("verify", desk.answer(evidence=evidence), "--policy", desk.folder / "policy")
    found, out, _ = desk.assay(*words, "--ocsp", told)
    assert (found, "2026-11-20T09:31:00Z, from which" in " ".join(out.split())) == (code, code > 0)


def test_newer_lists_may_be_brought_along(desk: Desk) -> None:
    desk.pin()
    answer = desk.answer()
    desk.world.at += LISTS_LAST
    fresh = desk.lists("fresh.pem")
    as_of = ("--as-of", f"{desk.world.at + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}")
    assert desk.assay("verify", answer, *as_of)[0] == 27
    assert desk.assay("verify", answer, *as_of, "--crl", fresh)[0] == 0
    each: list[object] = []
    for number, der in enumerate(desk.world.lists()):
        path = desk.folder / f"{number}.crl"
        path.write_bytes(der)
        each += ["--crl", path]
    assert desk.assay("verify", answer, *as_of, *each)[0] == 0


def test_lists_beside_a_folder_are_found(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    desk.world.at += LISTS_LAST
    as_of = ("--as-of", f"{desk.world.at + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}")
    assert desk.assay("verify", folder, *as_of)[0] == 27
    desk.lists("step-100.crl.pem")
    assert desk.assay("verify", folder, *as_of)[0] == 0


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"no list", 25, "bad-revocation"),
        (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", 10, "lists in PEM"),
        (None, 30, "No such file"),
    ],
)
def test_what_is_no_list_is_said(desk: Desk, content: bytes | None, code: int, says: str) -> None:
    desk.pin()
    path = desk.folder / "x.crl"
    if content is not None:
        path.write_bytes(content)
    found, out, err = desk.assay("verify", desk.answer(), "--crl", path, "--json")
    assert (found, says in out + err) == (code, True)


def test_a_list_of_no_version_that_there_is_is_none(desk: Desk) -> None:
    desk.pin()
    path = desk.lists("x.crl", [next(iter(desk.world.lists()))])
    path.write_bytes(of_no_version(path.read_bytes()))
    code, _, err = desk.assay("verify", desk.answer(), "--crl", path)
    assert (code, "expected revocation lists in PEM" in err) == (10, True)


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-20", "2026-11-20T09:30:00+01:00"])
def test_a_moment_is_a_whole_one(desk: Desk, moment: str) -> None:
    code, _, err = desk.assay("verify", desk.answer(), "--as-of", moment)
    assert (code, "TIME: expected a time such as" in err) == (2, True)


def test_without_a_moment_it_is_now(desk: Desk) -> None:
    desk.pin()
    words = argparse.ArgumentParser()
    verify.add_arguments(words)
    asked = words.parse_args([str(desk.answer())])
    terminal = Terminal.on(sys.stdout)
    late = AT + LISTS_LAST

    def at(now: datetime) -> int:
        return verify.run(asked, terminal=terminal, progress=terminal, clock=lambda: now)

    assert (at(late), at(late + SECOND)) == (0, 27)


def test_not_to_know_can_be_accepted_and_is_said_loudly(desk: Desk) -> None:
    desk.pin()
    accepting = ("--as-of", LATE, "--accept-unknown-revocation")
    code, out, err = desk.assay("verify", desk.answer(), *accepting)
    words = words_of(out)
    assert code == 0
    assert "Verified, but NOT whether it was revoked." in words
    assert "✔ 5 revocation NOT KNOWN, and accepted so: leaf, intermediate, timestamp leaf" in words
    loud = "You accepted not to know whether certificates were revoked: nothing current says so of"
    assert loud in words
    assert err.startswith(f"! {loud} output, checkpoint, run")
    code, out, err = desk.assay("verify", desk.answer(), *accepting, "--json")
    found = json.loads(out)
    assert (code, found["verified"], loud in found["warning"], loud in err) == (0, True, True, True)
    assert found["requirements"]["accepts_unknown_revocation"] is True
    assert found["parts"][0]["revocation_unknown"][0] == "leaf"


def test_a_revoked_one_fails_and_no_word_forgives_it(desk: Desk) -> None:
    desk.pin()
    evidence = desk.world.evidence_for_output()
    lists = desk.lists("lists.pem", revoked(desk, evidence))
    answer = desk.answer(evidence=evidence)
    for more in ((), ("--accept-unknown-revocation",)):
        code, out, _ = desk.assay("verify", answer, "--crl", lists, *more)
        words = " ".join(out.split())
        assert (code, out.count("✘")) == (26, 1)
        assert "from which the leaf certificate is revoked (key-compromise), found none" in words


def test_what_witnesses_saw_before_a_revocation_stays_valid(
    desk: Desk, witnesses: Witnesses
) -> None:
    desk.pin()
    evidence = witnesses.evidence(desk.world.evidence_for_output(), w1=AT, w3=AT + 59 * SECOND)
    lists = desk.lists("lists.pem", revoked(desk, evidence))
    asked = ("--crl", lists, "--policy", desk.folder / "policy")
    code, out, _ = desk.assay("verify", desk.answer(evidence=evidence), *asked)
    words = words_of(out)
    assert code == 0
    assert "leaf revoked, but proven to be from before: 2026-11-20T09:30:59Z" in words
    assert "Of the output, these certificates were revoked, but its signature is proven" in words
    assert (
        "The ledger with it in was seen by w1 on 2026-11-20 at 09:30:00 UTC, w3 on 2026-11-20"
        in words
    )
    late = witnesses.evidence(desk.world.evidence_for_output(), w1=AT, w3=AT + 60 * SECOND)
    code, out, _ = desk.assay("verify", desk.answer(evidence=late), *asked)
    assert (code, "found 2026-11-20T09:31:00Z" in " ".join(out.split())) == (26, True)


def test_a_verdict_says_that_nobody_was_asked_for(desk: Desk) -> None:
    desk.pin()
    _, out, _ = desk.assay("verify", desk.answer())
    words = " ".join(out.split())
    assert "No witnesses were asked for: that the ledger has one history is its own word." in words
    assert "Whether its certificates were revoked is known for 2" in words


def test_too_few_witnesses_fail_with_a_code_of_their_own(desk: Desk, witnesses: Witnesses) -> None:
    desk.pin()
    evidence = witnesses.evidence(desk.world.evidence_for_output(), w1=AT)
    policy = ("--policy", desk.folder / "policy")
    code, out, _ = desk.assay("verify", desk.answer(evidence=evidence), *policy)
    assert (code, out.count("✘")) == (29, 5)
    assert "expected the witnesses of the quorum two, found w1" in " ".join(out.split()).lower()


def test_a_policy_that_cannot_be_read_is_said(desk: Desk) -> None:
    desk.pin()
    answer, path = desk.answer(), desk.folder / "policy"
    assert desk.assay("verify", answer, "--policy", path)[0] == 30
    path.write_text("quorum\n")
    code, _, err = desk.assay("verify", answer, "--policy", path)
    assert (code, "policy.line 1: expected log, witness, group or quorum" in err) == (10, True)


def test_a_pack_is_judged_at_its_newest_witnessed_head(desk: Desk, witnesses: Witnesses) -> None:
    desk.pin()
    evidence = witnesses.evidence(desk.world.evidence_for_output(), w1=AT, w2=AT + SECOND)
    words = (
        "verify",
        desk.answer(evidence=evidence),
        "--policy",
        desk.folder / "policy",
        "--as-of",
        "evidence",
    )
    code, out, _ = desk.assay(*words)
    assert code == 0
    said = "known for 2026-11-20 09:30:01 UTC, by lists of 2026-11-20 and newer. That is when"
    assert said in " ".join(out.split())
    code, out, _ = desk.assay(*words, "--json")
    required = json.loads(out)["requirements"]
    assert (required["as_of"], required["is_pack"]) == ("2026-11-20T09:30:01Z", True)
    assert required["quorum"] == "two"
    assert json.loads(out)["parts"][0]["revocation_listed_at"] == "2026-11-20T09:30:00Z"


def test_what_is_asked_about_a_past_moment_says_so(desk: Desk) -> None:
    desk.pin()
    moment = f"{AT + SECOND:%Y-%m-%dT%H:%M:%SZ}"
    code, out, _ = desk.assay("verify", desk.answer(), "--as-of", moment)
    assert code == 0
    assert "You asked about that moment: what was revoked later" in " ".join(out.split())
    _, out, _ = desk.assay("verify", desk.answer(), "--as-of", moment, "--json")
    assert json.loads(out)["requirements"]["is_past"] is True


def test_a_file_of_beginnings_is_read_at_once(desk: Desk) -> None:
    desk.pin()
    lists = desk.folder / "lists.pem"
    lists.write_bytes(b"-----BEGIN X509 CRL-----\n" * 40_000)
    assert desk.assay("verify", desk.answer(), "--crl", lists)[0] == 25


def test_a_pack_says_what_it_lacks(desk: Desk, witnesses: Witnesses) -> None:
    desk.pin()
    answer = desk.answer()
    code, _, err = desk.assay("verify", answer, "--as-of", "evidence")
    assert (code, "expected --policy FILE or a policy pinned with assay trust add" in err) == (
        29,
        True,
    )
    code, _, err = desk.assay(
        "verify", answer, "--as-of", "evidence", "--policy", desk.folder / "policy"
    )
    assert (code, "that the quorum two has seen, found none among 5" in err) == (29, True)


def test_a_model_signature_is_a_pack_too(desk: Desk, witnesses: Witnesses) -> None:
    desk.pin()
    folder = desk.checkpoint()
    (desk.folder / "step-100.assay.json").unlink()
    desk.lists("step-100.crl.pem")
    bundle = witnesses.bundle(desk.world.model_signature(), w1=AT, w2=UNSAID)
    path = folder / "model.sig"
    path.write_text(json.dumps(bundle.to_json()))
    words = ("verify", folder, "--as-of", "evidence", "--policy", desk.folder / "policy")
    assert desk.assay(*words)[0] == 29
    bundle = witnesses.bundle(desk.world.model_signature(), w1=AT, w2=AT)
    path.write_text(json.dumps(bundle.to_json()))
    assert desk.assay(*words)[0] == 0


def test_a_pinned_policy_is_demanded_of_all_that_is_verified(
    desk: Desk, witnesses: Witnesses
) -> None:
    trust = desk.world.trust
    pin = Pinned(root=trust, pinned_at=AT, pinned_from=trust.registry, policy=witnesses.text())
    Pins.of_user().add(pin)
    desk.pin(World.create(at=AT, registry="http://other.test"))
    assert desk.assay("verify", desk.answer())[0] == 29
    seen = witnesses.evidence(desk.world.evidence_for_output(), w1=AT, w2=AT)
    for more in ((), ("--as-of", "evidence")):  # the other registry has no policy, and is not asked
        assert desk.assay("verify", desk.answer(TEXT, seen), *more)[0] == 0


def test_the_signer_may_be_demanded(desk: Desk) -> None:
    desk.pin()
    alice, bob = (f"{desk.world.registry}/{name}" for name in ("alice", "bob"))
    assert desk.assay("verify", desk.answer(), "--signer", alice)[0] == 0
    code, out, _ = desk.assay("verify", desk.answer(), "--signer", bob)
    assert (code, out.count("✘")) == (42, 1)
    assert f"Expected the signer {bob}, found '{alice}'." in " ".join(out.split())
    assert desk.assay("verify", desk.checkpoint(), "--signer", bob)[0] == 42


@pytest.mark.parametrize("accepting", [(), ("--accept-unknown-revocation",)])
def test_of_a_moment_before_the_registry_nothing_is_known(
    desk: Desk, accepting: tuple[str, ...]
) -> None:
    desk.pin()
    words = ("verify", desk.answer(), "--as-of", "2001-01-01T00:00:00Z", *accepting)
    code, out, err = desk.assay(*words)
    assert (code, out) == (27, "")
    assert "expected a moment since the root of http://registry.test was made (2026-11-19T" in err
    assert "found 2001-01-01T00:00:00Z" in err
