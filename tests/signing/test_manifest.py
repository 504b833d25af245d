# SPDX-License-Identifier: Apache-2.0
"""The manifest: its id, its names, and how it differs from the files at hand."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import canonical
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.manifest import FileEntry, Manifest, check_name
from tests.signing.world import FILES, manifest_of

EMPTY = sha256(b"")
SEGMENTS = st.text(st.sampled_from("aAß.-_ é0"), min_size=1, max_size=6)
NAMES = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)


def entry(name: str, size: int = 0) -> FileEntry:
    return FileEntry(name=name, sha256=EMPTY, size=size)


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def test_the_id_is_the_digest_of_the_canonical_bytes() -> None:
    manifest = Manifest.of([entry("a", 1)])
    expected = b'{"files":[{"name":"a","sha256":"%s","size":1}],"type":"https://assay/manifest/v1"}'
    assert manifest.canonical() == expected % EMPTY.encode()
    assert manifest.id == sha256(manifest.canonical())


def test_a_manifest_parses_back_from_its_json() -> None:
    manifest = manifest_of(FILES)
    assert Manifest.parse(canonical.loads(manifest.canonical())) == manifest


def test_the_same_content_under_another_name_is_another_id() -> None:
    assert Manifest.of([entry("a")]).id != Manifest.of([entry("b")]).id


def test_files_are_sorted_by_code_point_and_not_by_utf_16() -> None:
    names = [file.name for file in Manifest.of([entry("\U0001f600"), entry("\uffe5")]).files]
    assert names == sorted(names)
    with pytest.raises(InvalidDocument, match="entries sorted by name"):
        Manifest(files=(entry("b"), entry("a")))


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["a", "a"], "no other name like 'a'"),
        (["A", "a"], "no other name like 'A'"),
        (["STRASSE", "straße"], "no other name like 'STRASSE'"),
        (["a", "a/b"], "nothing below file 'a'"),
        (["A/b/c", "a/B"], "nothing below file 'a/B'"),
        ([], "1 to 10000 entries, found 0"),
    ],
)
def test_names_that_are_one_on_some_file_system_are_refused(names: list[str], says: str) -> None:
    with pytest.raises(InvalidDocument, match=says):
        Manifest.of(entry(name) for name in names)


def test_ten_thousand_files_are_the_most() -> None:
    files = [entry(f"{number:05}") for number in range(10_001)]
    assert len(Manifest.of(files[1:]).files) == 10_000
    with pytest.raises(InvalidDocument, match="found 10001"):
        Manifest.of(files)


@given(NAMES)
def test_a_name_that_is_accepted_stays_below_its_folder(name: str) -> None:
    try:
        check_name(name)
    except InvalidDocument:
        return
    assert os.path.normpath(f"/folder/{name}") == f"/folder/{name}"
    assert Manifest.parse(Manifest.of([entry(name)]).to_json()).files[0].name == name


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "manifest: expected an object"),
        ({"files": []}, "type: expected a value"),
        ({"type": "https://assay/manifest/v2", "files": []}, "type: expected https://assay/man"),
        ({"type": "https://assay/manifest/v1", "files": {}}, "files: expected an array"),
        ({"type": "https://assay/manifest/v1", "files": [], "x": 1}, "'x': expected no such field"),
    ],
)
def test_another_document_is_not_a_manifest(value: object, says: str) -> None:
    with pytest.raises(InvalidDocument, match=says):
        Manifest.parse(value)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (1, r"files\[0\].entry: expected an object"),
        ({"name": "a", "sha256": EMPTY}, r"files\[0\].size: expected a value"),
        ({"name": "..", "sha256": EMPTY, "size": 1}, r"^files\[0\].name: expected a relative"),
        ({"name": "a", "sha256": EMPTY, "size": -1}, r"files\[0\].size: expected an integer"),
        ({"name": "a", "sha256": EMPTY.upper(), "size": 1}, r"files\[0\].sha256: expected 64"),
        ({"name": "a", "sha256": EMPTY, "size": 1, "mode": 7}, "'mode': expected no such field"),
    ],
)
def test_an_entry_says_which_field_is_wrong(file: object, says: str) -> None:
    with pytest.raises(InvalidDocument, match=says):
        Manifest.parse({"type": "https://assay/manifest/v1", "files": [file]})


def test_a_folder_is_hashed_without_the_signature_beside_the_files(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "sub/deep/x.json": b"{}", "model.sig": b"signature"})
    assert Manifest.of_folder(tmp_path) == manifest_of({**FILES, "sub/deep/x.json": b"{}"})


def test_ignored_files_and_folders_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, ".cache/x": b"1", "notes.txt": b"2"})
    found = Manifest.of_folder(tmp_path, ignore=frozenset({".cache", "notes.txt"}))
    assert found == manifest_of(FILES)


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, dict(FILES))
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(InvalidDocument, match="'link': expected a regular file, found a link"):
        Manifest.of_folder(tmp_path)


def test_a_link_to_a_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "inside", dict(FILES))
    (tmp_path / "inside" / "up").symlink_to(tmp_path)
    with pytest.raises(InvalidDocument, match="'up': expected a regular file, found a link"):
        Manifest.of_folder(tmp_path / "inside")


def test_a_file_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(b"")
    with pytest.raises(InvalidDocument, match="half a surrogate pair"):
        Manifest.of_folder(tmp_path)


def test_differences_name_what_changed_is_missing_and_was_added() -> None:
    signed = manifest_of(FILES)
    observed = manifest_of({**FILES, "config.json": b"{}", "new.txt": b""})
    observed = Manifest.of(file for file in observed.files if file.name != "README.md")
    found = signed.differences(observed)
    assert (found.changed, found.missing, found.extra) == (
        ("config.json",),
        ("README.md",),
        ("new.txt",),
    )
    assert found.in_words() == "changed: config.json; missing: README.md; extra: new.txt"
    assert found
    assert not signed.differences(signed)


def test_the_size_is_that_of_all_files() -> None:
    assert manifest_of(FILES).size_bytes == sum(len(data) for data in FILES.values())
