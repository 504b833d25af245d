# SPDX-License-Identifier: Apache-2.0
"""A batch is read line by line; a refusal says which line, and what was expected in it."""

from __future__ import annotations

import io
import json

import pytest

from assay.signing.errors import InvalidDocument
from registry.api.problems import InvalidRequest, TooLarge
from registry.outputs.batches import lines
from registry.outputs.batches.lines import Content, LinesParser, Submission

ID = f"sha256:{'0' * 64}"
HEADER = json.dumps({"checkpoint": ID, "media_type": "text/plain"})
A, B = "a" * 64, "b" * 64


def read(*rows: object, header: str = HEADER) -> Submission:
    return Submission.parse("\n".join([header, *map(json.dumps, rows)]) + "\n")


def test_a_batch_is_read() -> None:
    found = read({"sha256": A}, {"sha256": B, "normalised": A, "media_type": "image/png"})
    assert found.checkpoint == "0" * 64
    assert found.contents == (
        Content(sha256=A, normalised=None, media_type="text/plain"),
        Content(sha256=B, normalised=A, media_type="image/png"),
    )


def test_the_last_line_may_lack_its_end() -> None:
    assert Submission.parse(f'{HEADER}\r\n{{"sha256":"{A}"}}').contents[0].sha256 == A


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({}, "line 3.sha256"),
        ({"sha256": "a" * 63}, "line 3.sha256"),
        ({"sha256": "A" * 64}, "line 3.sha256"),
        ({"sha256": 1}, "line 3.sha256"),
        ({"sha256": B, "normalised": "b"}, "line 3.normalised"),
        ({"sha256": B, "media_type": None}, "line 3.media_type"),
        ({"sha256": B, "media_type": "text"}, "line 3.media_type"),
        ({"sha256": B, "text": "secret"}, "line 3.'text'"),
        ({"sha256": A}, "line 3.sha256"),
        ([B], "line 3"),
        (B, "line 3"),
        ({"sha256": B, "media_type": "a/" + "b" * 1024}, "line 3"),
    ],
)
def test_a_line_that_is_no_output_is_refused_by_its_number(row: object, field: str) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        read({"sha256": A}, row)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "line", ["", " ", "{", "[" * 512, '{"sha256":', f'{{"sha256":"{A}","sha256":"{B}"}}', "NaN"]
)
def test_a_line_that_is_no_object_is_refused(line: str) -> None:
    with pytest.raises(InvalidDocument, match=r"^line 2: expected a JSON object"):
        Submission.parse(f"{HEADER}\n{line}\n")


def test_the_digest_of_a_line_before_is_refused_with_both_numbers() -> None:
    with pytest.raises(InvalidDocument, match=r"line 4\.sha256: .* found the one of line 2 again"):
        read({"sha256": A}, {"sha256": B}, {"sha256": A})


@pytest.mark.parametrize(
    "header",
    [
        "",
        "[]",
        json.dumps({"checkpoint": ID}),
        json.dumps({"checkpoint": "0" * 64, "media_type": "text/plain"}),
        json.dumps({"checkpoint": ID, "media_type": "text"}),
        json.dumps({"checkpoint": ID, "media_type": "text/plain", "claim": "server-generated"}),
    ],
)
def test_a_first_line_that_names_no_checkpoint_is_refused(header: str) -> None:
    with pytest.raises(InvalidDocument, match=r"^line 1"):
        read({"sha256": A}, header=header)


def test_none_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidDocument, match="outputs: expected 1 to 100000 lines, found 0"):
        read()
    monkeypatch.setattr(lines, "MAX_OUTPUTS", 1)
    with pytest.raises(InvalidDocument, match="found 2"):
        read({"sha256": A}, {"sha256": B})


def test_a_body_is_text_of_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LinesParser().parse(io.BytesIO(b"{}\n")) == {"lines": "{}\n"}
    with pytest.raises(InvalidRequest, match="byte 0xff at offset 1"):
        LinesParser().parse(io.BytesIO(b"{\xff"))
    monkeypatch.setattr(lines, "MAX_BODY_BYTES", 2)
    with pytest.raises(TooLarge):
        LinesParser().parse(io.BytesIO(b"{}\n"))
