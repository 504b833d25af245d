# SPDX-License-Identifier: Apache-2.0
"""The `hf` command: upload, download, tags and lists, as people type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.hub.stock import Stock
from tests.registry.catalog.world import FILES, World

pytestmark = pytest.mark.django_db(transaction=True)


def test_people_upload_and_download_with_it(alices: Stock, world: World) -> None:
    for name, content in FILES.items():
        (alices.home / name).write_bytes(content)
    for words in (
        ("upload", "lab/small", "model.safetensors"),
        ("upload", "lab/small", "README.md", "docs/README.md", "--commit-message", "A card"),
        ("download", "lab/small", "--local-dir", "got"),
    ):
        ran = alices.run(*words, program="hf")
        assert ran.code == 0, ran.err
    got = Path(alices.home / "got")
    assert (got / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert (got / "docs" / "README.md").read_bytes() == FILES["README.md"]
    assert (got / "model.sig").exists()


def test_a_large_folder_is_uploaded_in_pieces(alices: Stock, world: World) -> None:
    folder = alices.home / "many"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.txt").write_text(f"file {number}")
    (folder / "long.txt").write_bytes(b"long " * 400_000)
    (folder / "model.safetensors").write_bytes(FILES["model.safetensors"])
    script = f"""
if hasattr(api, 'upload_large_folder'):  # 2.4 does it in upload_folder
    api.upload_large_folder('lab/small', {str(folder)!r}, repo_type='model', num_workers=2)
else:
    api.upload_folder(repo_id='lab/small', folder_path={str(folder)!r})
said = len(list_repo_files('lab/small'))
"""
    assert alices.says(script) == 60 + 2 + 2
