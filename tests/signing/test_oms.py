# SPDX-License-Identifier: Apache-2.0
"""The OpenSSF statement: its root, its fields, and what its root does not bind."""

from dataclasses import replace

import pytest

from assay.signing import canonical, oms
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.statements import Statement
from tests.signing.world import FILES, manifest_of

STATEMENT = oms.statement("tiny", manifest_of(FILES))


def test_the_root_is_over_the_digests_in_order_of_names() -> None:
    digests = b"".join(bytes.fromhex(sha256(FILES[name])) for name in sorted(FILES))
    assert oms.root_digest(manifest_of(FILES)) == sha256(digests)


def test_the_root_does_not_bind_names_and_the_id_does() -> None:
    renamed = manifest_of({f"x{name}": data for name, data in FILES.items()})
    assert oms.root_digest(renamed) == oms.root_digest(manifest_of(FILES))
    assert renamed.id != manifest_of(FILES).id


def test_the_statement_reads_back() -> None:
    read = oms.parse(Statement.parse(STATEMENT.canonical()))
    assert read.name == "tiny"
    assert [each.name for each in read.resources] == sorted(FILES)
    assert read.statement() == STATEMENT


def test_the_second_wrapper_may_lie_beside_the_files() -> None:
    assert oms.parse(STATEMENT).has_sigstore_wrapper


def test_a_statement_from_before_there_was_one_reads_back_as_it_was() -> None:
    paths = [*oms.IGNORED_BEFORE]
    before = changed(serialization={**SERIALIZATION, "ignore_paths": paths})
    read = oms.parse(before)
    assert not read.has_sigstore_wrapper
    assert read.statement() == before
    for odd in ([], paths[::-1], [*oms.IGNORED, "x"], [1], ["model.sigstore.json", *paths[1:]]):
        with pytest.raises(InvalidDocument):
            oms.parse(changed(serialization={**SERIALIZATION, "ignore_paths": odd}))


def test_what_foreign_tools_pass_over_is_not_listed() -> None:
    more = manifest_of({**FILES, ".gitattributes": b"*.bin lfs", ".github/x.yml": b""})
    assert oms.root_digest(more) == oms.root_digest(manifest_of(FILES))


def test_a_folder_of_nothing_else_is_refused() -> None:
    with pytest.raises(InvalidDocument, match="files: expected a file that model signatures cover"):
        oms.statement("tiny", manifest_of({".gitignore": b""}))


def changed(**fields: object) -> Statement:
    return replace(STATEMENT, predicate={**STATEMENT.predicate, **fields})


SERIALIZATION = canonical.mapping(STATEMENT.predicate, "serialization")
ENTRY = {"algorithm": "sha256", "digest": sha256(b""), "name": "a"}


@pytest.mark.parametrize(
    "statement",
    [
        changed(resources=[ENTRY]),
        changed(serialization={"method": "shards"}),
        changed(serialization={**SERIALIZATION, "ignore_paths": ["weights"]}),
        changed(resources=[{**ENTRY, "algorithm": "blake3"}]),
        changed(resources=[{**ENTRY, "name": "../x"}]),
        changed(resources=[{**ENTRY, "size": 1}]),
        changed(resources=[1]),
        changed(extra=1),
        replace(STATEMENT, predicate={}),
    ],
)
def test_another_statement_is_refused(statement: Statement) -> None:
    with pytest.raises(InvalidDocument):
        oms.parse(statement)
