# SPDX-License-Identifier: Apache-2.0
"""Data sets: which files are taken, that they are blobs and signed, and may be added again."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from assay.signing.certificates import Purpose
from assay.signing.statements import DatasetClaim, Statement
from assay.signing.verify import verify_bundle
from registry.accounts.models import Namespace
from registry.catalog import queries, services
from registry.catalog.errors import InvalidName, NameTaken, NoText
from registry.catalog.models import Dataset, DatasetFile
from registry.conduct.errors import NotAccepted
from registry.ledger import queries as ledger
from registry.storage import services as storage
from tests.registry.catalog.world import World, texts
from tests.registry.verifying import basis
from tests.running import Authority


def test_a_data_set_is_signed_logged_and_verifies(world: World, authority: Authority) -> None:
    assert ledger.is_included(world.dataset.statement)
    bundle = ledger.bundle(world.dataset.statement)
    verify_bundle(bundle, basis=basis(authority), purpose=Purpose.CHECKPOINT)
    claim = DatasetClaim.parse(Statement.parse(bundle.envelope.payload))
    assert claim.manifest_sha256 == queries.dataset_manifest(world.dataset).id
    assert (claim.name, claim.files, claim.license) == ("lab/texts", 2, "CC0-1.0")


def test_its_files_are_blobs_that_anyone_may_read(world: World) -> None:
    for file in DatasetFile.objects.filter(dataset=world.dataset):
        with storage.open_blob(file.sha256) as blob:
            assert hashlib.sha256(blob.read()).hexdigest() == file.sha256
        assert queries.open_blobs([file.sha256]) == {file.sha256}


def test_the_same_files_again_are_the_same_data_set(world: World, tmp_path: Path) -> None:
    again = services.add_dataset(world.lab, "texts", texts(tmp_path / "again"))
    assert again == world.dataset
    assert Dataset.objects.count() == 1


def test_other_files_need_another_name(world: World, tmp_path: Path) -> None:
    origin = texts(tmp_path / "other")
    (tmp_path / "other" / "c.txt").write_text("c")
    with pytest.raises(NameTaken, match="holds other files"):
        services.add_dataset(world.lab, "texts", origin)
    assert services.add_dataset(world.lab, "texts-2", origin).sha256 != world.dataset.sha256


def test_only_text_is_taken_and_nothing_is_followed(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    (folder / "sub").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "sub" / "b.md").write_text("Ümlaut")
    (folder / "tests" / "c.txt").write_text("c")
    (folder / "empty.txt").write_text("")
    (folder / "binary.txt").write_bytes(b"a\x00b")
    (folder / "latin.txt").write_bytes(b"\xe4")
    (folder / ".hidden.txt").write_text("x")
    (folder / "link.txt").symlink_to(folder / "a.txt")
    origin = replace(texts(tmp_path / "x"), folder=folder, without=frozenset({"tests"}))
    dataset = services.add_dataset(world.lab, "mixed", origin)
    names = [file.name for file in queries.dataset_manifest(dataset).files]
    assert names == ["a.txt", "sub/b.md"]


def test_a_folder_without_text_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(NoText):
        services.add_dataset(world.lab, "x", replace(texts(tmp_path), folder=tmp_path / "none"))
    with pytest.raises(NoText):
        services.add_dataset(world.lab, "x", replace(texts(tmp_path), endings=(".rs",)))
    assert Dataset.objects.count() == 1


def test_an_owner_who_has_accepted_nothing_adds_nothing(world: World, tmp_path: Path) -> None:
    charlie = Namespace.objects.get(name="charlie")
    with pytest.raises(NotAccepted, match="a conduct version by its signer"):
        services.add_dataset(charlie, "x", texts(tmp_path))
    with pytest.raises(InvalidName):
        services.add_dataset(world.lab, "X Y", texts(tmp_path))
    assert Dataset.objects.count() == 1


def test_the_standard_library_is_real_text(world: World) -> None:
    origin = services.standard_library()
    dataset = services.add_dataset(world.lab, "python", origin)
    manifest = queries.dataset_manifest(dataset)
    names = [file.name for file in manifest.files]
    assert {"argparse.py", "json/decoder.py", "asyncio/base_events.py"} <= set(names)
    assert all(name.endswith(".py") for name in names)
    assert not [name for name in names if "test" in name.split("/")[:-1] or "idlelib" in name]
    assert 300 < len(names) < 1000
    assert 5_000_000 < manifest.size_bytes < 20_000_000


def test_the_command_adds_a_folder(world: World, tmp_path: Path) -> None:
    words = ["dataset", "add", str(texts(tmp_path / "it").folder)]
    words += ["--owner", "lab", "--name", "by-command"]
    origin = ["--title", "T", "--source", "S", "--license", "MIT"]
    said = io.StringIO()
    call_command(*words, *origin, stdout=said)
    dataset = Dataset.objects.get(name="by-command")
    assert f"lab/by-command  sha256:{dataset.sha256}  2 files, 22 bytes" in said.getvalue()


def test_the_command_says_what_is_missing(world: World, tmp_path: Path) -> None:
    words = ["dataset", "add", str(tmp_path), "--name", "x"]
    with pytest.raises(CommandError, match="--title, --source, --license"):
        call_command(*words, "--owner", "lab")
    with pytest.raises(CommandError, match="somebody's name"):
        call_command(*words, "--owner", "nobody")
    origin = ["--title", "T", "--source", "S", "--license", "MIT"]
    (tmp_path / "empty").mkdir()
    empty = ["dataset", "add", str(tmp_path / "empty"), "--name", "x", "--owner", "lab"]
    with pytest.raises(CommandError, match="with text files"):
        call_command(*empty, *origin)
