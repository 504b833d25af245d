# SPDX-License-Identifier: Apache-2.0
"""The vectors of tensors that the browser's verifier shares (tests/vectors/tensors.json)."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from assay.signing import canonical
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.evidence import Evidence
from assay.signing.tensors import MAX_STATED, TensorList, of_folder, spans
from assay.signing.trust import TrustRoot
from assay.signing.verify import Basis, Examination, Requirements, examine_checkpoint
from tests.signing.test_tensors import ENTRY
from tests.signing.world import manifest_of
from tests.vectors.mutation import changed

Json: TypeAlias = Any
GIVEN: Json = json.loads(
    (Path(__file__).parents[1] / "vectors/tensors.json").read_text(encoding="ascii")
)


def examined(case: Json, folder: Path) -> Examination:
    document = changed(GIVEN["evidence"], case)
    files = {name: b64decode(each) for name, each in GIVEN["files"].items()}
    files |= {name: b64decode(each) for name, each in case.get("files", {}).items()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    trust = TrustRoot.parse(GIVEN["trust_root"])
    requirements = Requirements(as_of=canonical.instant(GIVEN, "as_of"))
    return examine_checkpoint(
        Evidence.parse(document),
        basis=Basis(trust=trust, requirements=requirements),
        files=manifest_of(files),
        tensors=of_folder(folder, files),
    )


def test_the_list_is_these_bytes() -> None:
    found = Evidence.parse(GIVEN["evidence"]).tensors
    assert found is not None
    assert b"".join(found.lines()).decode() == GIVEN["list"]
    assert found.sha256 == sha256(GIVEN["list"].encode()) == GIVEN["sha256"]


@pytest.mark.parametrize("case", GIVEN["changed"], ids=lambda case: case["name"])
def test_one_change_fails_what_speaks_of_it(case: Json, tmp_path: Path) -> None:
    failures = examined(case, tmp_path).failures
    assert [step.code for step in failures] == case["failed"]
    assert all(case.get("said", "") in step.detail for step in failures if step.code == "tensors")


@pytest.mark.parametrize("case", GIVEN["refused"], ids=lambda case: case["why"])
def test_what_is_no_list_is_refused(case: Json) -> None:
    with pytest.raises(InvalidDocument):
        TensorList.parse(case["tensors"])


@pytest.mark.parametrize("case", GIVEN["no_files"], ids=lambda case: case["why"])
def test_what_is_no_file_of_tensors_is_refused(case: Json, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b64decode(case["base64"]))
    with pytest.raises(InvalidDocument):
        spans(tmp_path / "x")


def test_evidence_states_no_more_than_its_limit() -> None:
    many = [{**ENTRY, "name": f"{number:05}"} for number in range(MAX_STATED + 1)]
    assert len(Evidence.parse({**GIVEN["evidence"], "tensors": many[1:]}).canonical()) < 1 << 20
    with pytest.raises(InvalidDocument, match="at most 4096 items"):
        Evidence.parse({**GIVEN["evidence"], "tensors": many})
