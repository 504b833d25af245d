# SPDX-License-Identifier: Apache-2.0
"""`assay verify --excerpt` takes a part of a generated text, and says that it is one."""

from __future__ import annotations

import json
from pathlib import Path

from assay.signing import archive
from assay.signing.digests import as_id, sha256
from tests.signing.commands.desk import Desk, words_of
from tests.vectors.excerpts import TEXT, naming_lines


def test_an_excerpt_is_asked_for_and_said_to_be_one(desk: Desk) -> None:
    desk.pin()
    evidence = desk.answer(TEXT, naming_lines(desk.world))
    part = desk.folder / "part.txt"
    part.write_text("    if side < 0:\n        return None\n")
    code, out, _ = desk.assay("verify", part, "--evidence", evidence)
    assert code == 21
    words = " ".join(out.split())
    assert "it is an excerpt, lines 2 to 3 of 6, which nobody asked for" in words
    assert "To take it for what it is, an excerpt, and be told so: --excerpt" in words
    code, out, _ = desk.assay("verify", part, "--evidence", evidence, "--excerpt")
    words = " ".join(out.split())
    assert code == 0
    assert "An EXCERPT, lines 2 to 3 of 6. Verified." in words
    assert "What is here is lines 2 to 3 of 6. What was left out may change what it means." in words
    assert (
        f"generated the text {as_id(sha256(TEXT.encode()))[:19]}…, of which this is a part,"
        in words
    )
    _, out, _ = desk.assay("verify", part, "--evidence", evidence, "--excerpt", "--json")
    found = json.loads(out)
    assert (found["match"], found["requirements"]["accepts_excerpt"]) == ("excerpt", True)
    assert found["excerpt"] == {"first": 2, "last": 3, "of": 6}
    assert found["cautions"][0].startswith("What is here is lines 2 to 3 of 6.")
    code, out, _ = desk.assay("verify", evidence, "--excerpt")  # the text in it is all of it
    assert (code, "Verified.\n" in out, "EXCERPT" in out) == (0, True, False)


def test_the_line_of_each_says_which_lines_it_is_whatever_else_it_says(desk: Desk) -> None:
    desk.pin()
    evidence = desk.answer(TEXT, naming_lines(desk.world))
    (part := desk.folder / "part.txt").write_text("    return side * side\n")
    words = ("verify", part, "--evidence", evidence, "--excerpt", "--brief")
    code, out, _ = desk.assay(*words)
    assert code == 0
    said = "(server-generated, signed by http://registry.test/alice)"
    assert f"{part}: An EXCERPT, line 4 of 6. Verified. {said}\n" in out
    late = ("--accept-unknown-revocation", "--as-of", "2126-11-20T09:30:00Z")
    code, out, _ = desk.assay(*words, *late)
    assert code == 0
    assert "An EXCERPT, line 4 of 6. Verified, but NOT whether it was revoked." in out


def test_a_pack_has_the_lines_where_they_were_asked_about_alone(desk: Desk) -> None:
    desk.pin()
    evidence = desk.answer(TEXT, naming_lines(desk.world))
    (part := desk.folder / "part.txt").write_text("    return side * side\n")
    (whole := desk.folder / "whole.txt").write_text(TEXT)
    pack = desk.folder / "handed-on.assay-pack"
    of_pack = ("--evidence", pack, "--excerpt", "--as-of", "now")
    assert desk.assay("verify", evidence, "--excerpt", "--pack", pack)[0] == 0
    assert desk.assay("verify", part, *of_pack)[0] == 0
    assert desk.assay("verify", pack, "--as-of", "now", "--pack", pack)[0] == 0
    assert desk.assay("verify", whole, *of_pack)[0] == 0
    code, out, _ = desk.assay("verify", part, *of_pack)
    assert (code, "it is an excerpt" in out) == (21, False)


def test_what_is_no_excerpt_is_not_told_to_be_taken_for_one(desk: Desk) -> None:
    desk.pin()
    (part := desk.folder / "part.txt").write_text("another text\n")
    code, out, _ = desk.assay(
        "verify", part, "--evidence", desk.answer(TEXT, naming_lines(desk.world))
    )
    assert (code, "excerpt" in out) == (21, False)


def pack_of_two(desk: Desk) -> Path:
    """Of two outputs that differ in their first line."""
    desk.pin()
    texts = (TEXT, TEXT.replace("area", "square"))
    each = [
        desk.write(f"{place}.json", naming_lines(desk.world, text))
        for place, text in enumerate(texts)
    ]
    pack = desk.folder / "both.assay-pack"
    assert desk.assay("verify", *each, "--excerpt", "--pack", pack)[0] == 0
    return pack


def test_of_a_pack_of_several_an_excerpt_finds_its_own(desk: Desk) -> None:
    words = ("--evidence", pack_of_two(desk), "--as-of", "now")
    (part := desk.folder / "part.txt").write_text("def square(side):\n")
    code, out, _ = desk.assay("verify", part, *words, "--excerpt")
    assert (code, "An EXCERPT, line 1 of 6. Verified." in out) == (0, True)
    code, _, err = desk.assay("verify", part, *words)
    assert code == 24
    assert "it is an excerpt of 1 of them, which counts with --excerpt" in words_of(err)
    for other in (b"def circle(side):\n", b"\xff\n"):
        part.write_bytes(other)
        code, _, err = desk.assay("verify", part, *words, "--excerpt")
        assert (code, "found a pack about 2 others" in words_of(err)) == (24, True)
        assert "excerpt" not in err


def test_of_what_several_have_which_is_meant_is_for_its_reader_to_say(desk: Desk) -> None:
    pack = pack_of_two(desk)
    (part := desk.folder / "part.txt").write_text("    return side * side\n")
    words = ("--excerpt", "--as-of", "now")
    code, _, err = desk.assay("verify", part, "--evidence", pack, *words)
    assert code == 24
    assert "found an excerpt of 2 of those in the pack." in words_of(err)
    files = archive.read(pack.read_bytes())
    named = [name for name in files if name.startswith("evidence/")]
    assert all(name in "".join(err.split()) for name in named)
    (one := desk.folder / "one.json").write_bytes(files[named[0]])
    assert desk.assay("verify", part, "--evidence", one, *words)[0] == 0
