# SPDX-License-Identifier: Apache-2.0
"""`assay verify` says what is proven and on whose word, or which step failed, with its own code."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from assay.signing.certificates import Purpose
from assay.signing.digests import as_id, sha256
from assay.signing.evidence import Evidence
from assay.signing.statements import Origin, OutputClaim
from tests.signing.commands.desk import Desk, words_of
from tests.signing.world import (
    AT,
    FILES,
    PART_STEPS,
    TEXT,
    World,
    manifest_of,
    output_claim,
)

COMPARED = 5 * PART_STEPS + 1  # the step after those of an output's five signed parts


def test_an_output_verifies_down_to_its_data_and_conduct(desk: Desk) -> None:
    pin = desk.pin()
    code, out, err = desk.assay("verify", desk.answer())
    assert (code, err) == (0, "")
    assert "✘" not in out
    words = " ".join(out.split())
    assert "Verified. The registry http://registry.test generated this text, to the byte," in words
    assert "from the checkpoint alice/tiny@step-100 (sha256:" in words
    assert "says that it made this checkpoint in run b9a9c9de…, up to step 100" in words
    assert "The data was The Python standard library (alice/stdlib; 2 files; PSF-2.0)" in words
    assert "under the conduct policy Community language models, 1.0." in words
    assert words.endswith(
        f"Trusted because you pinned http://registry.test "
        f"({as_id(pin.root.fingerprint)[:19]}…) on 2026-11-20 from http://registry.test."
    )


def test_the_steps_are_numbered_and_aligned(desk: Desk) -> None:
    desk.pin()
    _, out, _ = desk.assay("verify", desk.answer())
    steps = [line for line in out.splitlines() if "✔" in line]
    (column,) = {line.index("✔") for line in steps}
    numbers = [int(line[column + 2 : column + 4]) for line in steps]
    assert sorted(numbers) == list(range(1, len(steps) + 1))
    assert steps[0].split()[:4] == ["output", "✔", "1", "statement"]


def test_each_part_stands_below_what_names_it(desk: Desk) -> None:
    desk.pin()
    _, out, _ = desk.assay("verify", desk.answer())
    steps = [line for line in out.splitlines() if "✔" in line]
    left = [line.partition("✔")[0].rstrip() for line in steps]
    assert [each for each in left if each.strip("│ ")] == [
        "output",
        "└ checkpoint",
        "  ├ run",
        "  │ └ dataset",
        "  └ conduct",
        "evidence",
    ]


def test_without_a_pinned_root_nothing_verifies(desk: Desk) -> None:
    code, out, err = desk.assay("verify", desk.answer())
    assert (code, out) == (23, "")
    assert "no-trust-root" in err
    assert "assay trust add URL" in err


def test_under_another_registrys_root_nothing_verifies(desk: Desk) -> None:
    desk.pin(World.create(at=AT))
    code, out, _ = desk.assay("verify", desk.answer())
    assert code == 13
    assert "Not verified" in out
    assert "Judged by the root that you pinned: http://registry.test" in " ".join(out.split())


def test_of_several_pinned_roots_the_one_that_fits_judges(desk: Desk) -> None:
    desk.pin(World.create(at=AT, registry="http://other.test"))
    desk.pin()
    code, out, _ = desk.assay("verify", desk.answer())
    assert code == 0
    assert "Trusted because you pinned http://registry.test" in " ".join(out.split())


def test_one_changed_character_turns_exactly_one_step_red(desk: Desk) -> None:
    desk.pin()
    code, out, _ = desk.assay("verify", desk.answer(TEXT.replace("hello", "hallo")))
    assert code == 21
    failed = [line for line in out.splitlines() if "✘" in line]
    assert [line.split()[:4] for line in failed] == [["│", "✘", f"{COMPARED}", "text"]]
    words = " ".join(out.split())
    assert f"Not verified: step {COMPARED} failed." in words
    assert "The content is what was signed? No: a text differs from the signed one" in words
    assert as_id(sha256(TEXT.encode())) in words
    assert f"{COMPARED + 12} of {COMPARED + 13} steps passed." in words


def test_what_copying_changes_is_forgiven_and_said(desk: Desk) -> None:
    desk.pin()
    code, out, _ = desk.assay("verify", desk.answer(TEXT.replace("\n", " \r\n")))
    assert code == 0
    assert "this text, but for line ends, spaces before them" in " ".join(out.split())


def test_a_text_file_is_verified_with_its_evidence(desk: Desk) -> None:
    desk.pin()
    text = desk.folder / "text.txt"
    text.write_bytes(TEXT.encode())
    for evidence in (desk.write("out.json", desk.world.evidence_for_output()), desk.answer()):
        code, out, _ = desk.assay("verify", text, "--evidence", evidence)
        assert (code, "to the byte" in out) == (0, True)
    text.write_bytes(TEXT.encode() + b"\xff")
    assert desk.assay("verify", text, "--evidence", desk.answer())[0] == 21


def test_a_file_too_large_to_be_a_pasted_text_is_compared_to_the_byte(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.signing.commands.contents.MAX_TEXT_BYTES", 4)
    desk.pin()
    text = desk.folder / "text.txt"
    text.write_bytes(TEXT.encode())
    assert desk.assay("verify", text, "--evidence", desk.answer())[0] == 0
    text.write_bytes(TEXT.encode() + b"\n")
    assert desk.assay("verify", text, "--evidence", desk.answer())[0] == 21


def test_evidence_alone_is_sound_but_compares_nothing(desk: Desk) -> None:
    desk.pin()
    path = desk.write("out.json", desk.world.evidence_for_output())
    code, out, _ = desk.assay("verify", path)
    words = " ".join(out.split())
    assert code == 0
    assert "generated the text sha256:" in words
    assert "(none was at hand to compare)" in words


def _changed(world: World, by: str, change: Callable[[OutputClaim], OutputClaim]) -> Evidence:
    """Evidence for an output of which something else is said."""
    below = world._sign_below(FILES)
    claim = output_claim(TEXT, manifest_of(FILES).id, sha256(below["checkpoint"].envelope.payload))
    signed = world.sign(change(claim).statement(), Purpose.OUTPUT, by)
    return world._evidence({"output": signed, **below}, FILES)


def _asserted(world: World) -> Evidence:
    """Evidence for content that a caller says was made from a checkpoint."""
    return _changed(
        world,
        "alice",
        lambda claim: replace(
            claim,
            claim=Origin.CALLER_ASSERTED,
            normalised_sha256=None,
            generation=None,
            request_commitment=None,
        ),
    )


def test_a_watermark_is_said_where_the_statement_says_so(desk: Desk) -> None:
    desk.pin()
    said = "It was written with the watermark tournament/v1 of the key 545aca0aa20f4513."
    mark = {"scheme": "tournament/v1", "key": "545aca0aa20f4513"}
    for generation, is_said in (({"mark": mark}, True), ({"mark": None}, False), ({}, False)):
        evidence = _changed(desk.world, desk.world.alice, partial(replace, generation=generation))
        code, out, _ = desk.assay("verify", desk.write("output.json", evidence))
        assert (code, said in " ".join(out.split())) == (0, is_said)


def test_a_line_of_each_tells_a_callers_word_from_the_registrys_own(desk: Desk) -> None:
    desk.pin()
    asserted, generated = desk.write("asserted.json", _asserted(desk.world)), desk.answer()
    (text := desk.folder / "text").write_text(TEXT)
    (pasted := desk.folder / "pasted").write_text(TEXT + "\n")
    by = "signed by http://registry.test/alice"
    for words, said in (
        ((text, "--evidence", asserted), "caller-asserted, identical"),
        ((asserted,), "caller-asserted, not compared"),
        ((text, "--evidence", generated), "server-generated, identical"),
        ((pasted, "--evidence", generated), "server-generated, same after normalising"),
    ):
        code, out, _ = desk.assay("verify", *words, "--brief")
        assert (code, out.splitlines()[0]) == (0, f"✔ {words[0]}: {said}, {by}")


def test_what_a_caller_asserts_is_not_said_to_have_been_seen(desk: Desk) -> None:
    desk.pin()
    path = desk.folder / "content.bin"
    path.write_bytes(TEXT.encode())
    evidence = desk.write("content.json", _asserted(desk.world))
    code, out, _ = desk.assay("verify", path, "--evidence", evidence)
    words = " ".join(out.split())
    assert code == 0
    assert "http://registry.test/alice says that this content, to the byte, was made from" in words
    assert "Nobody else saw it being made." in words
    assert "generated this" not in words


def test_an_answer_without_a_text_compares_nothing(desk: Desk) -> None:
    desk.pin()
    path = desk.folder / "answer.json"
    path.write_text(json.dumps({"evidence": _asserted(desk.world).to_json()}))
    code, out, _ = desk.assay("verify", path)
    assert (code, "none was at hand" in " ".join(out.split())) == (0, True)


def test_an_answer_that_claims_a_generated_text_must_hold_it(desk: Desk) -> None:
    desk.pin()
    code, out, _ = desk.assay("verify", desk.answer(None))
    assert (code, f"✘ {COMPARED} text" in out) == (24, True)
    assert "Expected the text that was generated, found none" in " ".join(out.split())


REQUEST = {"document": {"prompt": "def "}, "salt": "00" * 32}


def test_an_answer_that_says_what_was_signed_verifies(desk: Desk) -> None:
    desk.pin()
    said = {
        "checkpoint": as_id(manifest_of(FILES).id),
        "media_type": "text/plain; charset=utf-8",
        "request": REQUEST,
    }
    code, out, _ = desk.assay("verify", desk.answer(said=said))
    words = " ".join(out.split())
    assert code == 0
    assert "output → answer id, claim, checkpoint, media_type" in words
    assert "output → request" in words


@pytest.mark.parametrize(
    ("name", "value", "step"),
    [
        ("id", "1", "answer"),
        ("claim", "caller-asserted", "answer"),
        ("checkpoint", as_id("cd" * 32), "answer"),
        ("media_type", "text/html", "answer"),
        ("request", {**REQUEST, "document": {"prompt": "class "}}, "request"),
        ("request", {**REQUEST, "salt": "01" * 32}, "request"),
    ],
)
def test_an_answer_that_says_another_thing_than_was_signed_fails_one_step(
    desk: Desk, name: str, value: object, step: str
) -> None:
    desk.pin()
    answer = desk.answer(said={name: value})
    text = desk.folder / "text.txt"
    text.write_bytes(TEXT.encode())
    for words in ((answer,), (text, "--evidence", answer)):
        code, out, _ = desk.assay("verify", *words, "--json")
        failed = [each for each in json.loads(out)["steps"] if each["error"]]
        assert code == 22
        assert [(each["code"], each["error"]) for each in failed] == [
            (f"output.{step}", "broken-link")
        ]


def test_a_request_for_an_output_that_commits_to_none_fails_one_step(desk: Desk) -> None:
    desk.pin()
    answer = desk.answer(
        None, _asserted(desk.world), said={"claim": "caller-asserted", "request": REQUEST}
    )
    code, out, _ = desk.assay("verify", answer)
    assert (code, out.count("✘")) == (22, 1)
    assert "expected no request, as the output commits to none" in words_of(out)


def test_a_request_without_its_salt_is_no_request(desk: Desk) -> None:
    desk.pin()
    answer = desk.answer(said={"request": {**REQUEST, "salt": "00"}})
    code, _, err = desk.assay("verify", answer)
    assert (code, "request.salt: expected 64" in err) == (10, True)


def test_an_output_is_compared_with_real_files_too(desk: Desk) -> None:
    desk.pin()
    folder, answer = desk.checkpoint(), desk.answer()
    code, out, _ = desk.assay("verify", answer, "--checkpoint", folder)
    assert (code, f"✔ {COMPARED + 1} files      3 files" in out) == (0, True)
    text = desk.folder / "text.txt"
    text.write_bytes(TEXT.encode())
    words = ("verify", text, "--evidence", answer, "--checkpoint", folder)
    assert desk.assay(*words)[0] == 0
    (folder / "model.safetensors").write_bytes(b"other weights")
    code, out, _ = desk.assay(*words)
    assert (code, f"step {COMPARED + 1} failed" in out) == (20, True)


def test_an_expired_certificate_fails_its_step(desk: Desk) -> None:
    desk.pin()
    desk.world.leaf(Purpose.OUTPUT, f"{desk.world.registry}/alice")
    desk.world.at += timedelta(days=400)
    code, out, _ = desk.assay("verify", desk.answer())
    assert code == 13
    assert "✘  3 signer" in out


def test_parts_of_two_outputs_do_not_make_one(desk: Desk) -> None:
    desk.pin()
    one = desk.world.evidence_for_output()
    other = desk.world.evidence_for_output("other text", {**FILES, "more.json": b"{}"})
    mixed = replace(one, bundles={**one.bundles, "output": other.bundles["output"]})
    code, out, _ = desk.assay("verify", desk.answer("other text", mixed))
    assert code == 22
    assert "output → checkpoint" in out


def test_for_programs_there_is_one_json_document(desk: Desk) -> None:
    pin = desk.pin()
    code, out, err = desk.assay("verify", desk.answer(), "--json")
    found = json.loads(out)
    assert (code, err, found["verified"], found["match"]) == (0, "", True, "identical")
    assert found["trust"] == {
        "registry": "http://registry.test",
        "fingerprint": as_id(pin.root.fingerprint),
        "pinned_at": "2026-11-20T09:30:00Z",
        "pinned_from": "http://registry.test",
        "quorum": None,
    }
    assert [part["part"] for part in found["parts"]][:2] == ["output", "checkpoint"]
    assert found["steps"][0]["code"] == "output.statement"
    assert {step["outcome"] for step in found["steps"]} == {"passed"}


def test_for_programs_a_failure_is_a_document_too(desk: Desk) -> None:
    desk.pin()
    code, out, _ = desk.assay("verify", desk.answer("other"), "--json")
    found = json.loads(out)
    assert (code, found["verified"]) == (21, False)
    assert (found["error"]["code"], found["error"]["exit_code"]) == ("text-mismatch", 21)
    assert [step["error"] for step in found["steps"] if step["error"]] == ["text-mismatch"]
    code, out, err = desk.assay("verify", desk.folder / "nothing", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (30, "input-unreadable")
    assert "No such file" in err


def test_verifying_opens_no_connection(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.pin()
    answer, folder = desk.answer(), desk.checkpoint()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert desk.assay("verify", answer)[0] == 0
    assert desk.assay("verify", folder)[0] == 0


def test_what_cannot_be_read_is_said(desk: Desk) -> None:
    desk.pin()
    empty = desk.folder / "empty"
    empty.mkdir()
    answer = desk.answer()
    loop = desk.folder / "loop"
    loop.symlink_to(loop)
    for words, said in (
        ((desk.folder / "nothing",), "No such file"),
        ((empty,), "expected evidence in empty.assay.json"),
        ((answer, "--checkpoint", answer), "expected a folder"),
        ((answer, "--evidence", empty), "Is a directory"),
        ((loop,), "symbolic links"),
        (("a" * 5000,), "File name too long"),
        (("/proc/self/mem",), "Input/output error"),  # not even root may read it
    ):
        code, out, err = desk.assay("verify", *words)
        assert (code in {24, 30}, out) == (True, ""), words
        assert said in " ".join(err.split())


def test_a_link_in_a_checkpoint_is_refused(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    (folder / "link").symlink_to("config.json")
    code, _, err = desk.assay("verify", folder)
    assert (code, "regular file" in err) == (10, True)


def test_a_copy_without_its_evidence_is_told_where_it_was_looked_for(desk: Desk) -> None:
    desk.pin()
    shutil.copytree(desk.checkpoint(), desk.folder / "copy")
    code, _, err = desk.assay("verify", desk.folder / "copy")
    assert (code, "copy.assay.json" in err) == (24, True)
