# SPDX-License-Identifier: Apache-2.0
"""Digests, printed ids, and the text that survives copying."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import digests
from assay.signing.errors import InvalidDocument

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, example


def test_the_digest_of_abc_is_the_standards() -> None:
    assert digests.sha256(b"abc") == ABC


def test_a_stream_gives_digest_and_size() -> None:
    assert digests.sha256_stream([b"a", b"", b"bc"]) == (ABC, 3)


def test_a_file_gives_digest_and_size(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert digests.sha256_file(path) == (ABC, 3)


def test_a_printed_id_parses_back() -> None:
    assert digests.parse_id(digests.as_id(ABC)) == ABC


@pytest.mark.parametrize("printed", [ABC, "sha256:" + ABC.upper(), "sha256:" + ABC[1:], "sha1:a"])
def test_another_form_of_id_is_refused(printed: str) -> None:
    with pytest.raises(InvalidDocument, match="id: expected sha256:"):
        digests.parse_id(printed)
    with pytest.raises(InvalidDocument, match=r"^checkpoint: expected sha256:"):
        digests.parse_id(printed, "checkpoint")


def test_what_is_looked_up_is_printed_or_alone() -> None:
    for given_digest in (ABC, digests.as_id(ABC)):
        assert digests.parse_sought(given_digest, "sha256") == ABC


@pytest.mark.parametrize("sought", ["", ABC.upper(), ABC[1:], "sha256:sha256:" + ABC, "sha1:a"])
def test_another_form_is_not_looked_up(sought: str) -> None:
    with pytest.raises(InvalidDocument, match="digest: expected 64 lower-case hexa"):
        digests.parse_sought(sought, "digest")


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = digests.normalised_text(text)
    assert digests.normalised_text(once) == once


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["\r\n", "\r", " \n", "\t\n"]),
)
def test_what_copying_changes_does_not_matter(text: str, line_end: str) -> None:
    text = text.replace("\r", "")
    copied = text.replace("\n", line_end) + "\n"
    assert digests.normalised_text(copied) == digests.normalised_text(text)
