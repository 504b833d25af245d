# SPDX-License-Identifier: Apache-2.0
"""Data: the split is by content, the windows are by seed and step, and every byte is verified."""

from pathlib import Path

import pytest
import torch

from assay.signing.manifest import FileEntry, Manifest
from assay.trainers import data
from assay.trainers.data import Corpus
from assay.trainers.errors import UnusableData, WrongDigest

from .builders import tiny_corpus, tiny_recipe, write_texts


def entry(first_digits: str, name: str = "a.py") -> FileEntry:
    return FileEntry(name=name, sha256=first_digits.ljust(64, "0"), size=1)


def counting(length: int) -> Corpus:
    counted = torch.arange(length, dtype=torch.int64).remainder(256).to(torch.uint8)
    return Corpus(training=counted, validation=counted)


def test_a_file_is_held_out_when_the_first_eight_digits_divide() -> None:
    assert data.is_held_out("00000014" + "f" * 56, 20)
    assert not data.is_held_out("00000015" + "0" * 56, 20)


def test_the_split_depends_on_content_and_not_on_names(tmp_path: Path) -> None:
    manifest = write_texts(tmp_path)
    renamed = [
        FileEntry(name=f"{number:03}", sha256=file.sha256, size=file.size)
        for number, file in enumerate(reversed(manifest.files))
    ]
    held_out = {file.sha256 for file in manifest.files if data.is_held_out(file.sha256, 4)}
    assert held_out == {file.sha256 for file in renamed if data.is_held_out(file.sha256, 4)}
    assert 0 < len(held_out) < len(manifest.files)


def test_no_byte_of_a_held_out_file_is_trained_on(tmp_path: Path) -> None:
    manifest = write_texts(tmp_path)
    corpus = tiny_corpus(tmp_path, tiny_recipe())
    held_out = [file for file in manifest.files if data.is_held_out(file.sha256, 4)]
    kept = [file for file in manifest.files if not data.is_held_out(file.sha256, 4)]
    for part, files in ((corpus.validation, held_out), (corpus.training, kept)):
        texts = [(tmp_path / file.name).read_bytes() for file in files]
        assert bytes(part.tolist()) == b"\0".join(texts)


def test_the_windows_of_a_step_depend_on_seed_and_step_alone() -> None:
    corpus = counting(1000)
    torch.manual_seed(1)
    one = corpus.batch(seed=7, step=3, count=4, context_bytes=16)
    torch.manual_seed(2)
    assert torch.equal(one, corpus.batch(seed=7, step=3, count=4, context_bytes=16))
    assert not torch.equal(one, corpus.batch(seed=7, step=4, count=4, context_bytes=16))
    assert not torch.equal(one, corpus.batch(seed=8, step=3, count=4, context_bytes=16))


def test_a_window_is_the_context_and_the_byte_after_it() -> None:
    windows = counting(200).batch(seed=1, step=1, count=64, context_bytes=16)
    assert windows.shape == (64, 17)
    assert torch.equal(windows[:, 1:], windows[:, :-1] + 1)


def test_validation_windows_span_all_held_out_bytes() -> None:
    windows = counting(250).validation_windows(16)
    assert windows.shape == (data.VALIDATION_WINDOWS, 17)
    assert windows[0, 0] == 0
    assert windows[-1, -1] == 249


def test_a_file_with_other_bytes_than_its_digest_is_refused(tmp_path: Path) -> None:
    manifest = write_texts(tmp_path)
    (tmp_path / "text_03.py").write_text("something else", encoding="utf-8")
    with pytest.raises(WrongDigest, match=r"text_03\.py: expected sha256:.*, found sha256:"):
        data.load(manifest, data.folder_reader(tmp_path), one_in=4, context_bytes=32)


def test_too_little_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "only.txt").write_text("short", encoding="utf-8")
    manifest = Manifest.of_folder(tmp_path)
    with pytest.raises(UnusableData, match="expected more than 33 bytes"):
        data.load(manifest, data.folder_reader(tmp_path), one_in=2, context_bytes=32)


def test_a_small_folder_gets_a_split_that_leaves_both_parts() -> None:
    files = (entry("00000001", "a"), entry("00000003", "b"), entry("00000009", "c"))
    assert data.split_for(Manifest(files=files)) == 3


def test_a_folder_that_cannot_be_split_is_refused() -> None:
    with pytest.raises(UnusableData, match="expected at least two different files"):
        data.split_for(Manifest(files=(entry("00000000"),)))
