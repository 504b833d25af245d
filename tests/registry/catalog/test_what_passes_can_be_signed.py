# SPDX-License-Identifier: Apache-2.0
"""What passes the gate can be signed: it takes no tensors that no statement can name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.signing import canonical, tensors
from assay.signing.tensors import MAX_NAME_CHARACTERS
from registry.catalog import queries, services
from registry.catalog.content.formats import Refused, ending, gate
from registry.catalog.content.large import is_large
from registry.catalog.errors import ContentRefused
from tests.registry.catalog.weights import file, tensor, weights
from tests.registry.catalog.world import FILES, World, by_person, publish

LONG = "n" * (MAX_NAME_CHARACTERS + 1)
ODD = {
    "no name": ({"": tensor(0, 1)}, "names of tensors of 1 to 4096 characters, found 0"),
    "a long name": ({LONG: tensor(0, 1)}, "names of tensors of 1 to 4096 characters, found 4097"),
    "a size beyond what JSON holds": ({"a": tensor(0, 0, shape=(2**53, 0))}, "whole numbers"),
    "half a character": ({"\ud800": tensor(0, 1)}, "half a surrogate pair"),
    "half a character of metadata": ({"__metadata__": {"a": "\udfff"}}, "half a surrogate pair"),
}


@pytest.mark.parametrize(("header", "message"), ODD.values(), ids=ODD)
def test_what_no_statement_can_name_is_refused_at_the_gate(
    world: World, header: object, message: str
) -> None:
    odd = by_person(world, files={"model.safetensors": file(header, b"x")})
    with pytest.raises(ContentRefused, match=message):
        services.receive(odd)


SIZES = st.one_of(st.integers(-1, 3), st.sampled_from([2**53 - 1, 2**53, 2**70, 1.0, True, None]))
NAMES = st.one_of(st.text(max_size=3), st.sampled_from(["", LONG, LONG[1:], "\ud800", "a/../b"]))
HEADERS = st.dictionaries(
    NAMES,
    st.fixed_dictionaries(
        {
            "dtype": st.sampled_from(["U8", "F4", "BOOL", "x" * 30]),
            "shape": st.lists(SIZES, max_size=18),
            "data_offsets": st.sampled_from([[0, 0], [0, 1], [1, 1], [1, 2]]),
        }
    ),
    max_size=3,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(header=HEADERS, size_bytes=st.integers(0, 2))
def test_what_passes_is_read_by_who_signs(
    tmp_path: Path, header: dict[str, object], size_bytes: int
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(file(json.dumps(header), bytes(size_bytes)))
    try:
        gate.check(path.name, path)
    except Refused:
        return
    listed = tensors.TensorList.of(tensors.of_file(path, path.name))
    assert len(listed.entries) == len(header)


@pytest.mark.parametrize("name", [".safetensors", "shards/.SafeTensors"])
def test_a_name_that_is_an_ending_promises_what_the_ending_does(world: World, name: str) -> None:
    with pytest.raises(ContentRefused, match="a header of at most"):
        services.receive(by_person(world, files={name: b"only text"}))
    published = publish(by_person(world, files={name: weights()}))
    stated = queries.evidence(published).tensors
    assert stated is not None
    assert [each.file for each in stated.entries] == [name, name]
    assert is_large(name, 1)


@pytest.mark.parametrize(
    ("name", "promised"),
    [
        ("a/b.JSON", ".json"),
        (".gitattributes", ".gitattributes"),
        ("a.d/b", ""),
        ("b.tar.gz", ".gz"),
        ("end.", "."),
    ],
)
def test_the_ending_is_what_stands_behind_the_last_dot_of_the_last_part(
    name: str, promised: str
) -> None:
    assert ending(name) == promised


def test_a_list_that_evidence_has_no_room_for_is_named_and_not_stated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = weights({f"{n:04}{'n' * 4000}": b"x" for n in range(2100)})
    published = publish(by_person(world, files={**FILES, "model.safetensors": long}))
    evidence = queries.evidence(published)
    assert evidence.tensors is None
    canonical.loads(evidence.canonical())  # as its readers do


def test_a_list_that_fits_to_the_byte_is_stated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = publish(by_person(world))
    whole = len(queries.evidence(published).canonical())
    monkeypatch.setattr(canonical, "MAX_BYTES", whole)
    assert len(queries.evidence(published).canonical()) == whole
    monkeypatch.setattr(canonical, "MAX_BYTES", whole - 1)
    assert queries.evidence(published).tensors is None
