# SPDX-License-Identifier: Apache-2.0
"""Each tensor of a checkpoint has a digest, and a verifier says which one is another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from assay.signing import canonical
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument, VerificationError
from assay.signing.evidence import Evidence
from assay.signing.statements import CHECKPOINT_V1, CHECKPOINT_V2, CheckpointClaim, Statement
from assay.signing.tensors import TensorList, is_listed, of_file, of_folder, spans
from assay.signing.verify import Basis, examine_checkpoint, verify_checkpoint
from tests.registry.catalog.weights import file, tensor, weights
from tests.signing.naming import naming
from tests.signing.world import World, checkpoint_claim, manifest_of

TWO = {"wte": b"\x00\x01\x02\x03", "head": b"\x04\x05"}
FILES = {"config.json": b"{}", "model.safetensors": weights(TWO)}
ENTRY: Mapping[str, object] = {
    "file": "a.safetensors",
    "name": "x",
    "dtype": "U8",
    "shape": [2],
    "sha256": "ab" * 32,
}


def written(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def listed(folder: Path) -> TensorList:
    return of_folder(folder, sorted(path.name for path in folder.iterdir()))


def failing(world: World, evidence: Evidence, observed: TensorList | None) -> list[tuple[str, str]]:
    basis = Basis(trust=world.trust, requirements=world.requirements)
    files = evidence.manifest
    found = examine_checkpoint(evidence, basis=basis, files=files, tensors=observed)
    return [(step.code, str(step.error)) for step in found.failures]


def test_a_list_has_each_tensor_by_name_with_the_digest_of_its_bytes(tmp_path: Path) -> None:
    found = listed(written(tmp_path / "m"))
    assert [(each.file, each.name, each.dtype, each.shape) for each in found.entries] == [
        ("model.safetensors", "head", "U8", (2,)),
        ("model.safetensors", "wte", "U8", (4,)),
    ]
    assert found.entries[0].sha256 == sha256(b"\x04\x05")
    assert found.sha256 == sha256(b"".join(found.lines()))
    lines = [canonical.dumps(each.to_json()) + b"\n" for each in found.entries]
    assert list(found.lines()) == lines


def test_files_of_other_kinds_have_none(tmp_path: Path) -> None:
    assert is_listed("A.SafeTensors")
    assert not is_listed("model.gguf")
    folder = written(tmp_path / "m", {"a.safetensors": b"no such file", "b.txt": b"x"})
    assert of_folder(folder, ["a.safetensors", "b.txt", "gone.safetensors"]).entries == ()


def test_the_order_of_the_bytes_in_a_file_is_not_that_of_the_list(tmp_path: Path) -> None:
    one = listed(written(tmp_path / "a"))
    turned = weights(dict(reversed(TWO.items())))
    other = listed(written(tmp_path / "b", {"model.safetensors": turned}))
    assert one == other


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a length within the file"),
        (b"\x00" * 8, "a length within the file"),
        (file(b"{}", length=100), "a length within the file"),
        (file(b"[]"), "an object"),
        (file(b"{"), "JSON"),
        (file({"a": 1}), "an object"),
        (file({"": tensor(0, 0)}), "a string of 1"),
        (file({"a": {**tensor(0, 1), "more": 1}}, b"x"), "no such field"),
        (file({"a": tensor(0, 1, dtype="x" * 21)}, b"x"), "a string of 1 to 20"),
        (file({"a": {**tensor(0, 1), "data_offsets": [0]}}, b"x"), "2 numbers"),
        (file({"a": {**tensor(0, 1), "shape": [1] * 17}}, b"x"), "at most 16"),
        (file({"a": tensor(1, 2)}, b"xy"), "a tensor from"),
        (file({"a": {**tensor(0, 2), "data_offsets": [2, 0]}}, b"xy"), "a tensor from"),
        (file({"a": tensor(0, 1)}, b"xy"), "tensors up to"),
    ],
)
def test_a_header_that_leaves_a_byte_to_nobody_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(InvalidDocument, match=said):
        spans(path)
    with pytest.raises(InvalidDocument, match=said):
        list(of_file(path, path.name))


def test_a_header_of_too_many_tensors_is_refused(tmp_path: Path) -> None:
    header = {f"t{number}": tensor(0, 0) for number in range(100_001)}
    (tmp_path / "a.safetensors").write_bytes(file(json.dumps(header)))
    with pytest.raises(InvalidDocument, match="at most 100000 tensors"):
        spans(tmp_path / "a.safetensors")


def test_a_list_is_read_strictly() -> None:
    assert TensorList.parse([ENTRY]).entries[0].place == ("a.safetensors", "x")
    for change in ({"sha256": "AB" * 32}, {"shape": [-1]}, {"dtype": 1}, {"more": 1}):
        with pytest.raises(InvalidDocument, match=r"tensors\[0\]"):
            TensorList.parse([{**ENTRY, **change}])
    for second in (ENTRY, {**ENTRY, "name": "a"}):
        with pytest.raises(InvalidDocument, match="sorted by file and name"):
            TensorList.parse([ENTRY, second])


def test_a_statement_of_either_version_reads_back(world: World, tmp_path: Path) -> None:
    found = listed(written(tmp_path / "m"))
    with_tensors = naming(world, FILES, found)
    statement = Statement.parse(with_tensors.bundles["checkpoint"].envelope.payload)
    assert statement.predicate_type == CHECKPOINT_V2
    claim = CheckpointClaim.parse(statement)
    assert claim.tensors is not None
    assert (claim.tensors.count, claim.tensors.sha256) == (2, found.sha256)
    assert claim.statement() == statement
    without = checkpoint_claim(world.registry, manifest_of(FILES), run=None).statement()
    assert without.predicate_type == CHECKPOINT_V1
    assert CheckpointClaim.parse(without).tensors is None
    mixed = replace(statement, predicate_type=CHECKPOINT_V1)
    with pytest.raises(InvalidDocument, match="no such field"):
        CheckpointClaim.parse(mixed)


def test_evidence_keeps_the_list(world: World, tmp_path: Path) -> None:
    evidence = naming(world, FILES, listed(written(tmp_path / "m")))
    assert Evidence.parse(canonical.loads(evidence.canonical())) == evidence
    assert failing(world, evidence, evidence.tensors) == []


def test_the_list_must_be_the_one_that_was_signed(world: World, tmp_path: Path) -> None:
    found = listed(written(tmp_path / "m"))
    evidence = naming(world, FILES, found)
    fewer = replace(evidence, tensors=TensorList(entries=found.entries[:1]))
    assert [code for code, _ in failing(world, fewer, None)] == ["checkpoint.tensors"]
    plain = world.evidence_for_upload(FILES)
    assert "names none" in failing(world, replace(plain, tensors=found), None)[0][1]


def test_a_count_that_is_not_the_lists_is_a_lie_of_the_signer(world: World, tmp_path: Path) -> None:
    found = listed(written(tmp_path / "m"))
    evidence = naming(world, FILES, found)
    payload = evidence.bundles["checkpoint"].envelope.payload
    lied = canonical.loads(payload.replace(b'"count":2', b'"count":3'))
    signed = world.sign_payload(canonical.dumps(lied), Purpose.CHECKPOINT, world.alice)
    bundles = {**evidence.bundles, "checkpoint": world.bundle(signed)}
    codes = [code for code, _ in failing(world, replace(evidence, bundles=bundles), found)]
    assert codes == ["tensors", "checkpoint.tensors"]


def test_the_tensor_that_differs_is_named(world: World, tmp_path: Path) -> None:
    folder = written(tmp_path / "m")
    evidence = naming(world, FILES, listed(folder))
    changed = weights({**TWO, "wte": b"\x00\x01\x02\x04"})
    observed = listed(written(folder, {"model.safetensors": changed}))
    ((code, message),) = failing(world, evidence, observed)
    assert code == "tensors"
    assert "changed: 'wte' of model.safetensors" in message
    assert "head" not in message
    unlisted = replace(evidence, tensors=None)
    assert f"found sha256:{observed.sha256}" in failing(world, unlisted, observed)[0][1]


def test_missing_and_further_tensors_are_named_and_not_all_of_many() -> None:
    def many(*names: str) -> TensorList:
        entry = TensorList.parse([ENTRY]).entries[0]
        return TensorList.of(replace(entry, name=name) for name in names)

    assert many("a", "b").differences(many("b", "c")) == (
        "missing: 'a' of a.safetensors; extra: 'c' of a.safetensors"
    )
    assert many(*"abcdefgh").differences(many("h")).endswith("'e' of a.safetensors and 2 more")
    assert many("a").differences(many("a")) == ""


def test_a_checkpoint_verifies_with_its_tensors(world: World, tmp_path: Path) -> None:
    found = listed(written(tmp_path / "m"))
    evidence = naming(world, FILES, found)
    verified = verify_checkpoint(
        evidence,
        trust=world.trust,
        requirements=world.requirements,
        files=manifest_of(FILES),
        tensors=found,
    )
    assert [step.detail for step in verified.steps if step.code == "tensors"] == ["2 tensors"]
    other = TensorList.of([replace(found.entries[0], sha256="cd" * 32)])
    with pytest.raises(VerificationError, match="expected the 2 tensors"):
        verify_checkpoint(
            evidence,
            trust=world.trust,
            requirements=world.requirements,
            files=manifest_of(FILES),
            tensors=other,
        )
