# SPDX-License-Identifier: Apache-2.0
"""`assay verify FILE…`: each has a verdict of its own, and the worst is the exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Thread

from tests.signing.commands.desk import Desk
from tests.signing.world import TEXT


def answers(desk: Desk, *texts: str) -> list[Path]:
    """Answers of the API, one for each text, all with the evidence of the first."""
    found = []
    for number, text in enumerate(texts):
        path = desk.answer(text)
        found.append(path.rename(desk.folder / f"answer-{number}.json"))
    return found


def test_each_has_a_verdict_of_its_own(desk: Desk) -> None:
    desk.pin()
    code, out, err = desk.assay("verify", *answers(desk, TEXT, TEXT))
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line == "Verified."] == ["Verified."] * 2
    assert out.splitlines()[0] == f"  {desk.folder}/answer-0.json"


def test_the_exit_code_is_that_of_the_worst(desk: Desk) -> None:
    desk.pin()
    good, changed = answers(desk, TEXT, "another")
    nothing = desk.folder / "nothing"
    for paths, expected in (
        ((good, changed), 21),
        ((nothing, good), 30),
        ((nothing, good, changed), 21),
        ((good, nothing, changed, desk.lists("no.json")), 21),
    ):
        code, out, _ = desk.assay("verify", *paths)
        assert code == expected
        assert "Verified." in out
    code, out, _ = desk.assay("verify", good, nothing)
    assert (code, "Not verified. input-unreadable:" in out) == (30, True)


def test_for_programs_there_is_one_document(desk: Desk) -> None:
    desk.pin()
    good, changed = answers(desk, TEXT, "another")
    nothing = desk.folder / "nothing"
    code, out, _ = desk.assay("verify", good, changed, nothing, "--json")
    found = json.loads(out)
    assert (code, found["verified"]) == (21, False)
    assert [each["path"] for each in found["artifacts"]] == [str(good), str(changed), str(nothing)]
    assert [each["verified"] for each in found["artifacts"]] == [True, False, False]
    assert found["artifacts"][2]["error"]["code"] == "input-unreadable"
    top = found["artifacts"][0]["tree"][0]
    assert (top["part"], top["below"][0]["part"]) == ("output", "checkpoint")


def test_words_for_one_are_refused_with_several(desk: Desk) -> None:
    one, two = answers(desk, TEXT, TEXT)
    for word in ("--checkpoint", "--proof"):
        code, _, err = desk.assay("verify", one, two, word, desk.folder)
        assert (code, f"{word} goes with one PATH" in err) == (2, True)
    words = ("--method", "key", "--public-key", one)
    code, _, err = desk.assay("verify", one, two, *words)
    assert (code, "--method takes one PATH, found 2" in err) == (2, True)


def test_what_comes_through_a_pipe_is_read_once(desk: Desk) -> None:
    desk.pin()
    answer, pipe = desk.answer(TEXT), desk.folder / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(answer.read_bytes(),), daemon=True)
    writer.start()
    code, out, _ = desk.assay("verify", pipe, "--brief")
    writer.join(timeout=10)
    assert (code, "1 of 1 verified." in out) == (0, True)


def test_an_error_of_the_words_is_none_of_a_file(desk: Desk) -> None:
    one, two = answers(desk, TEXT, TEXT)
    assert desk.assay("verify", one, two, "--as-of", "yesterday")[0] == 2


def test_a_line_for_each_is_enough_of_what_verifies(desk: Desk) -> None:
    desk.pin()
    good, changed = answers(desk, TEXT, "another")
    nothing = desk.folder / "nothing"
    code, out, err = desk.assay("verify", good, changed, nothing, "--brief")
    assert (code, err) == (21, "")
    verified, other, absent, count = out.splitlines()
    by = "signed by http://registry.test/alice"
    assert verified == f"✔ {good}: server-generated, identical, {by}"
    assert other.startswith(f"✘ {changed}: step 41, the content is what was signed: expected sha2")
    assert absent.startswith(f"✘ {nothing}: input-unreadable: ")
    assert count == "1 of 3 verified."


def test_what_is_unusual_of_it_is_said_in_that_line(desk: Desk) -> None:
    desk.pin()
    words = ("--brief", "--accept-unknown-revocation", "--as-of", "2126-11-20T09:30:00Z")
    code, out, err = desk.assay("verify", *answers(desk, TEXT), *words)
    assert (code, "Verified, but NOT whether it was revoked." in " ".join(out.split())) == (0, True)
    assert "You accepted not to know" in err


def test_programs_are_told_all(desk: Desk) -> None:
    code, _, err = desk.assay("verify", *answers(desk, TEXT), "--brief", "--json")
    assert (code, "not allowed with argument" in err) == (2, True)
