# SPDX-License-Identifier: Apache-2.0
"""Packs that the browser reads too, whole and changed (tests/vectors/packs.json)."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing import archive
from assay.signing.digests import as_id, sha256
from assay.signing.errors import AssayError, InvalidDocument
from assay.signing.pack import Pack
from tests.signing.commands.desk import Desk

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[2] / "vectors/packs.json").read_text(encoding="ascii")
)
FILES = {name: b64decode(data) for name, data in GIVEN["files"].items()}
PACK = archive.write(FILES)


def test_the_pack_is_written_as_it_was() -> None:
    pack = Pack.parse(PACK)
    assert (sha256(PACK), pack.canonical()) == (GIVEN["sha256"], PACK)
    assert pack.trust.fingerprint == GIVEN["fingerprint"]
    assert pack.policy_sha256 == GIVEN["policy_sha256"]


@pytest.mark.parametrize("case", GIVEN["refused"], ids=lambda each: each["name"])
def test_a_pack_with_one_thing_changed_is_none(case: Json) -> None:
    put = {name: b64decode(data) for name, data in case.get("put", {}).items()}
    kept = {name: data for name, data in FILES.items() if name not in case.get("remove", [])}
    with pytest.raises(AssayError) as refused:
        Pack.parse(archive.write({**kept, **put}))
    assert refused.value.code == case["error"]
    assert case["says"] in str(refused.value)


@pytest.mark.parametrize("case", GIVEN["archives"]["refused"], ids=lambda each: each["name"])
def test_an_archive_of_another_form_is_none(case: Json) -> None:
    with pytest.raises(InvalidDocument) as refused:
        archive.read(b64decode(case["archive"]))
    assert case["says"] in str(refused.value)


def test_of_the_same_files_there_is_one_archive() -> None:
    files = {name: b64decode(data) for name, data in GIVEN["archives"]["files"].items()}
    whole = b64decode(GIVEN["archives"]["accepted"])
    assert (archive.write(files), archive.read(whole)) == (whole, files)


@pytest.mark.parametrize("case", GIVEN["named"], ids=lambda each: each["name"])
def test_a_pack_is_judged_by_what_its_reader_named(desk: Desk, case: Json) -> None:
    path = desk.folder / "output.assay-pack"
    path.write_bytes(PACK)
    words: list[object] = ["verify", path, "--json"]
    for word in ("fingerprint", "policy"):
        words += [f"--{word}", as_id(case[word])] if case[word] else []
    code, out, _ = desk.assay(*words, *(["--as-of", "now"] if case["now"] else []))
    found = json.loads(out)
    errors = {each["error"]["code"] for each in found.get("artifacts", []) if not each["verified"]}
    assert (code == 0, errors) == (not case["error"], {case["error"]} - {""})
