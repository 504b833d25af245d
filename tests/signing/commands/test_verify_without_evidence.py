# SPDX-License-Identifier: Apache-2.0
"""`assay verify` of a file alone: one that brings its evidence is judged, of others it is said."""

from __future__ import annotations

import json
import os
import threading

import pytest

from tests.signing.commands.desk import Desk, words_of
from tests.signing.world import TEXT


@pytest.mark.parametrize("content", [TEXT.encode(), b"\x89PNG\r\n", b"", b"{}", b'{"a":1}'])
def test_of_what_brings_no_evidence_it_is_said_where_that_would_be(
    desk: Desk, content: bytes
) -> None:
    desk.pin()
    path = desk.folder / "letter.txt"
    path.write_bytes(content)
    code, _, err = desk.assay("verify", path)
    assert code == 24
    assert "expected evidence in letter.txt.assay.json beside the file, found none" in err
    assert "--evidence FILE" in err


@pytest.mark.parametrize("content", [b'{"type":', b'{"type":"other"}'])
def test_of_broken_evidence_it_is_said_what_is_broken(desk: Desk, content: bytes) -> None:
    desk.pin()
    path = desk.folder / "evidence.json"
    path.write_bytes(content)
    code, _, err = desk.assay("verify", path)
    assert (code, "invalid-document" in err) == (10, True)


@pytest.mark.parametrize("within", ["the answer", "choices", "data"])
def test_of_a_whole_answer_for_openais_clients_it_is_said_which_member_that_is(
    desk: Desk, within: str
) -> None:
    desk.pin()
    assay = {"assay": json.loads(desk.answer().read_bytes())}
    whole = {"object": "text_completion", "choices": [{"text": TEXT}]}
    whole |= assay if within == "the answer" else {within: [assay]}
    path, text = desk.folder / "completion.json", desk.folder / "text"
    path.write_text(json.dumps(whole))
    text.write_text(TEXT)
    for words in ((path,), (text, "--evidence", path)):
        code, _, err = desk.assay("verify", *words)
        assert (code, "save its member `assay` by itself" in words_of(err)) == (10, True)


def test_an_answer_comes_through_a_pipe(desk: Desk) -> None:
    desk.pin()
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(desk.answer().read_bytes(),))
    writer.start()
    code, _, err = desk.assay("verify", pipe)
    writer.join()
    assert (code, err) == (0, "")
