# SPDX-License-Identifier: Apache-2.0
"""A model's files: what is listed, what is passed over, and what no longer fits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.signing import canonical
from assay.signing.errors import FileMismatch, InvalidDocument
from assay.signing.oms.files import check_model, hash_model
from assay.signing.oms.manifest import ModelManifest, parse
from tests.signing.oms.models import FILES, resource, statement, statement_of, write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tiny")


def signed(value: dict[str, Any]) -> ModelManifest:
    return parse(canonical.dumps(value))


def test_every_file_is_listed_and_fits(model: Path) -> None:
    found = hash_model(model)
    assert (found.name, sorted(found.digests)) == ("tiny", sorted(FILES))
    check_model(model, found)


def test_a_model_may_be_the_working_folder(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model)
    assert hash_model(Path()).name == "tiny"


def test_git_is_passed_over_at_the_top_and_nowhere_else(tmp_path: Path) -> None:
    tops = {
        f"{name}{end}": b""
        for name, end in [
            (".git", "/HEAD"),
            (".gitignore", ""),
            (".gitattributes", ""),
            (".github", "/x.yml"),
        ]
    }
    files = {**FILES, **tops, "sub/.git/HEAD": b"", "sub/.gitignore": b"", ".env": b"x"}
    model = write_model(tmp_path / "tiny", files)
    found = hash_model(model)
    assert set(found.digests) == set(files) - set(tops)
    check_model(model, found)


def test_ignored_paths_match_exactly(model: Path, tmp_path: Path) -> None:
    write_model(model, {"skip": b"", "sub/skip": b"", "cache/x": b"", "skipped": b""})
    outside = tmp_path / "elsewhere"
    found = hash_model(model, ignored=[Path("skip"), model / "cache", outside, model])
    assert set(found.digests) == {*FILES, "sub/skip", "skipped"}
    assert found.serialization.ignored == ("cache", "skip")
    check_model(model, found)


def test_a_verifier_may_ignore_more(model: Path) -> None:
    found = hash_model(model)
    write_model(model, {"later": b""})
    with pytest.raises(FileMismatch, match="extra: later"):
        check_model(model, found)
    check_model(model, found, ignored=[model / "later"])
    check_model(model, found, allows_unsigned=True)


def test_what_was_signed_is_checked_though_it_is_ignored(model: Path) -> None:
    found = hash_model(model)
    (model / "config.json").write_bytes(b"[]\n")
    with pytest.raises(FileMismatch, match=r"changed: config\.json"):
        check_model(model, found, ignored=[model / "config.json"])


def change(model: Path) -> None:
    (model / "config.json").write_bytes(b"{} ")


def rename(model: Path) -> None:
    (model / "config.json").rename(model / "Config.json")


def remove(model: Path) -> None:
    (model / "sub" / "b.bin").unlink()


def swap(model: Path) -> None:
    (model / "sub-a.bin").write_bytes(FILES["sub/b.bin"])
    (model / "sub" / "b.bin").write_bytes(FILES["sub-a.bin"])


def link(model: Path) -> None:
    (model / "config.json").rename(model.parent / "config.json")
    (model / "config.json").symlink_to(model.parent / "config.json")


def link_the_folder(model: Path) -> None:
    (model / "sub").rename(model.parent / "sub")
    (model / "sub").symlink_to(model.parent / "sub")


@pytest.mark.parametrize("spoil", [change, rename, remove, swap, link, link_the_folder])
@pytest.mark.parametrize("allows_unsigned", [False, True])
def test_what_no_longer_fits_is_refused(
    model: Path, spoil: Callable[[Path], None], *, allows_unsigned: bool
) -> None:
    found = hash_model(model)
    spoil(model)
    with pytest.raises((FileMismatch, InvalidDocument)):
        check_model(model, found, allows_unsigned=allows_unsigned)


def test_an_empty_model_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny", {".git/HEAD": b"", "skip": b""})
    with pytest.raises(InvalidDocument, match="at least one file, found none"):
        hash_model(model, ignored=[Path("skip")])


@pytest.mark.parametrize("target", ["config.json", ".", "/nowhere"])
def test_a_link_is_not_signed(model: Path, target: str) -> None:
    (model / "link").symlink_to(target)
    with pytest.raises(InvalidDocument, match="'link': expected a regular file, found a link"):
        hash_model(model)
    hash_model(model, ignored=[Path("link")])


def test_a_pipe_is_not_signed(model: Path) -> None:
    os.mkfifo(model / "pipe")
    with pytest.raises(InvalidDocument, match="found a link or special file"):
        hash_model(model)


@pytest.mark.parametrize("name", [b"\xff", b"a\\b"])
def test_a_name_that_no_statement_holds_is_refused(model: Path, name: bytes) -> None:
    (model / os.fsdecode(name)).write_bytes(b"")
    with pytest.raises(InvalidDocument, match="relative path within the model"):
        hash_model(model)


def test_a_glob_is_not_ignored(model: Path) -> None:
    with pytest.raises(InvalidDocument, match=r"without \* \? \["):
        hash_model(model, ignored=[Path("*.bin")])


def test_links_are_followed_where_the_signer_did(model: Path) -> None:
    (model / "link").symlink_to("config.json")
    (model / "folder").symlink_to("sub")
    files = {**FILES, "link": FILES["config.json"], "folder/b.bin": FILES["sub/b.bin"]}
    check_model(model, signed(statement_of(files, allow_symlinks=True)))
    (model / "link").unlink()
    with pytest.raises(FileMismatch, match="missing: link"):
        check_model(model, signed(statement_of(files, allow_symlinks=True)))
    (model / "circle").symlink_to(".")
    with pytest.raises(InvalidDocument, match="links without a circle"):
        check_model(model, signed(statement_of(files, allow_symlinks=True)))


@pytest.mark.parametrize("target", ["kept", "kept/b.bin"])
@pytest.mark.parametrize("allows_unsigned", [False, True])
def test_no_link_is_followed_out_of_the_model(
    model: Path, tmp_path: Path, target: str, *, allows_unsigned: bool
) -> None:
    """Also where what it leads to is what was signed (section 6.1.1)."""
    write_model(tmp_path / "kept", {"b.bin": b"x"})
    (model / "link").symlink_to(tmp_path / target)
    name = "link/b.bin" if target == "kept" else "link"
    followed = signed(statement_of({**FILES, name: b"x"}, allow_symlinks=True))
    with pytest.raises(InvalidDocument, match="expected a link within the model, found one that"):
        check_model(model, followed, allows_unsigned=allows_unsigned)


@pytest.mark.parametrize("target", ["kept", "kept/b.bin"])
def test_nor_is_one_that_nobody_signed(model: Path, tmp_path: Path, target: str) -> None:
    write_model(tmp_path / "kept", {"b.bin": b"x"})
    (model / "link").symlink_to(tmp_path / target)
    followed = signed(statement_of(FILES, allow_symlinks=True))
    with pytest.raises(InvalidDocument, match="'link': expected a link within the model"):
        check_model(model, followed)
    check_model(model, followed, ignored=[model / "link"])


def test_a_single_file_is_named_by_itself(tmp_path: Path) -> None:
    model = write_model(tmp_path, {"tiny.bin": b"x"}) / "tiny.bin"
    found = hash_model(model)
    assert (found.name, set(found.digests)) == ("tiny.bin", {"tiny.bin"})
    check_model(model, found)
    check_model(model, signed(statement(resource(".", b"x"))))
    with pytest.raises(FileMismatch, match=r"missing: other\.bin"):
        check_model(model, signed(statement(resource("other.bin", b"x"))))


def test_shards_fit_byte_range_by_byte_range(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny", {"a": b"12345", "empty": b""})
    shards = [resource("a:0:4", b"1234"), resource("a:4:5", b"5")]
    found = signed(statement(*shards, method="shards", shard_size=4))
    check_model(model, found)
    (model / "a").write_bytes(b"123456")
    with pytest.raises(FileMismatch, match="changed: a"):
        check_model(model, found)
    (model / "a").write_bytes(b"12345")
    (model / "b").write_bytes(b"1")
    with pytest.raises(FileMismatch, match="extra: b"):
        check_model(model, found)
    half = signed(statement(shards[0], method="shards", shard_size=4))
    with pytest.raises(FileMismatch, match="changed: a"):
        check_model(model, half, allows_unsigned=True)


def test_blake2b_fits(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny", {"a": b"1"})
    found = signed(statement(resource("a", b"1", "blake2b"), hash_type="blake2b"))
    check_model(model, found)


def test_a_statement_in_shards_of_one_byte_costs_no_more_than_it_lists(tmp_path: Path) -> None:
    model = tmp_path / "tiny"
    model.mkdir()
    with (model / "large.bin").open("wb") as file:
        file.truncate(1 << 40)  # a hole: a range for each of its bytes would fill any memory
    value = statement_of({"large.bin:0:1": b"\0"}, method="shards", shard_size=1)
    with pytest.raises(FileMismatch, match=r"changed: large\.bin"):
        check_model(model, signed(value))
