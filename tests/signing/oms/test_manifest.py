# SPDX-License-Identifier: Apache-2.0
"""What the specification lets a statement say, and what it has verifiers refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.signing import canonical
from assay.signing.errors import InvalidDocument
from assay.signing.oms.manifest import (
    Hash,
    Method,
    ModelManifest,
    Serialization,
    check_ignored,
    parse,
)
from tests.signing.oms.models import Change, resource, root_of, statement

A, B = resource("a", b"a"), resource("b", b"b")


def read(value: object) -> ModelManifest:
    return parse(canonical.dumps(value))


def test_a_statement_reads_back() -> None:
    made = ModelManifest(
        name="tiny", serialization=Serialization(ignored=("x",)), digests={"a": A["digest"]}
    )
    found = parse(made.payload())
    assert found == made
    said = json.loads(made.payload())["predicate"]["serialization"]
    assert said["ignore_paths"] == [".git", ".gitattributes", ".github", ".gitignore", "x"]


def test_shards_read_back() -> None:
    serialization = Serialization(method=Method.SHARDS, shard_bytes=4)
    made = ModelManifest(name="tiny", serialization=serialization, digests={"a:1:0:4": A["digest"]})
    assert parse(made.payload()).by_path() == {"a:1": {"a:1:0:4": A["digest"]}}


def test_blake2b_is_known_and_its_root_is_sha256() -> None:
    found = read(statement(resource("a", b"", "blake2b"), hash_type="blake2b"))
    assert found.serialization.hash is Hash.BLAKE2B


def test_what_others_add_to_a_resource_is_passed_over() -> None:
    value = statement({**A, "annotations": {"loss": 1.5}})
    assert parse(json.dumps(value).encode()).digests == {"a": A["digest"]}


def test_the_order_of_the_statement_makes_the_root() -> None:
    """model_signing sorts by segment, so that `sub/b` stands before `sub-a`."""
    both = [resource("sub/b", b"b"), resource("sub-a", b"a")]
    assert set(read(statement(*both)).digests) == {"sub/b", "sub-a"}


def test_the_whole_model_may_be_called_a_dot() -> None:
    assert read(statement(resource("."))).by_path().keys() == {"."}


def test_the_first_releases_had_a_subject_for_each_file() -> None:
    digest = {"sha256": A["digest"]}
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://model_signing/Digests/v0.1",
        "subject": [{"name": "a", "digest": digest}, {"name": "b", "digest": digest}],
        "predicate": {"unused": "Unused"},
    }
    assert read(value).digests == {"a": A["digest"], "b": A["digest"]}
    value["subject"] = []
    with pytest.raises(InvalidDocument, match="at least one entry"):
        read(value)


def set_at(*path: str | int, to: object) -> Change:
    def change(value: dict[str, Any]) -> None:
        place: Any = value
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def without(*path: str | int) -> Change:
    def change(value: dict[str, Any]) -> None:
        place: Any = value
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


def listing(*resources: dict[str, Any]) -> Change:
    def change(value: dict[str, Any]) -> None:
        value["predicate"]["resources"] = list(resources)
        value["subject"][0]["digest"]["sha256"] = root_of(list(resources))

    return change


SERIALIZATION = ("predicate", "serialization")
BAD_NAMES = (
    *("../x", "a/../x", "/x", "./x", "a//x", "a/", "a/.", "..", "a\\x", "a\0x", "", ".", "\ud800"),
)
REFUSED: dict[str, Change] = {
    "statement of another type": set_at("_type", to="https://in-toto.io/Statement/v0.1"),
    "predicate of another type": set_at("predicateType", to="https://model_signing/signature/v2"),
    "no predicate": without("predicate"),
    "field in the predicate": set_at("predicate", "x", to=1),
    "no subject": set_at("subject", to=[]),
    "two subjects": lambda value: value["subject"].append(value["subject"][0]),
    "subject without a name": without("subject", 0, "name"),
    "subject that is none": set_at("subject", 0, to=1),
    "another root": set_at("subject", 0, "digest", "sha256", to="0" * 64),
    "no root": set_at("subject", 0, "digest", to={"sha512": "0" * 128}),
    "empty model": listing(),
    "no resources": without("predicate", "resources"),
    "one file twice": listing(A, A),
    "resource that is none": set_at("predicate", "resources", 0, to="a"),
    "resource without a name": without("predicate", "resources", 0, "name"),
    "resource without a digest": without("predicate", "resources", 0, "digest"),
    "another hash in one": listing(A, resource("b", b"b", "blake2b")),
    "short digest": listing({**A, "digest": "ab"}),
    "capital digest": listing({**A, "digest": A["digest"].upper()}),
    "no serialization": without(*SERIALIZATION),
    "no method": without(*SERIALIZATION, "method"),
    "unknown method": set_at(*SERIALIZATION, "method", to="chunks"),
    "no hash": without(*SERIALIZATION, "hash_type"),
    "unknown hash": set_at(*SERIALIZATION, "hash_type", to="md5"),
    "hash that is not here": set_at(*SERIALIZATION, "hash_type", to="blake3"),
    "links unsaid": without(*SERIALIZATION, "allow_symlinks"),
    "links as a word": set_at(*SERIALIZATION, "allow_symlinks", to="false"),
    "shard size for files": set_at(*SERIALIZATION, "shard_size", to=4),
    "shards without a size": set_at(*SERIALIZATION, "method", to="shards"),
    "field in the serialization": set_at(*SERIALIZATION, "x", to=1),
    "ignored path that is none": set_at(*SERIALIZATION, "ignore_paths", to=[1]),
    "ignored paths that are none": set_at(*SERIALIZATION, "ignore_paths", to="x"),
    **{f"name {name!a}": listing(A, {**B, "name": name}) for name in BAD_NAMES if name != "\ud800"},
}


@pytest.mark.parametrize("fault", REFUSED)
def test_the_statement_is_refused_for(fault: str) -> None:
    value = statement(dict(A), dict(B))
    read(value)
    REFUSED[fault](value)
    with pytest.raises(InvalidDocument):
        read(value)


def test_half_a_surrogate_pair_is_no_name() -> None:
    value = json.dumps(statement(A)).replace('"name": "a"', '"name": "\\ud800"')
    with pytest.raises(InvalidDocument):
        parse(value.encode())


@pytest.mark.parametrize("size", [0, -1, True, "4"])
def test_a_shard_has_bytes(size: object) -> None:
    with pytest.raises(InvalidDocument, match="shard_size"):
        read(statement(resource("a:0:1"), method="shards", shard_size=size))


@pytest.mark.parametrize("name", ["a", "a:1", "a:0:0", "a:-1:2", "a:01:2", ":0:1", "../a:0:1"])
def test_a_shard_is_named_by_its_range(name: str) -> None:
    with pytest.raises(InvalidDocument):
        read(statement(resource(name), method="shards", shard_size=4))


@pytest.mark.parametrize("path", ["*", "a?", "[a", "/a", "../a", "a\\b", ""])
def test_a_signer_lists_plain_paths_as_ignored(path: str) -> None:
    check_ignored("sub/a")
    with pytest.raises(InvalidDocument):
        check_ignored(path)


def test_an_odd_ignored_path_of_others_matches_nothing() -> None:
    value = statement(A, ignore_paths=["/home/x", "../y", ".git", "z"])
    assert read(value).serialization.ignored == ("/home/x", "../y", "z")
