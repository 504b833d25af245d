# SPDX-License-Identifier: Apache-2.0
"""Stock clients send a large file in parts, where they send by git-lfs at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from registry.catalog.models import File
from registry.storage.files import parts_folder
from tests.clients.hub.stock import Stock
from tests.registry.catalog.world import World

pytestmark = pytest.mark.django_db(transaction=True)

TENSOR_BYTES = 70_000_000  # three parts


def weights(path: Path) -> str:
    """A file of one large tensor; its SHA-256."""
    tensor = {"dtype": "U8", "shape": [TENSOR_BYTES], "data_offsets": [0, TENSOR_BYTES]}
    header = json.dumps({"w": tensor}).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(TENSOR_BYTES))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_large_file_arrives_in_parts(alices: Stock, world: World) -> None:
    stock = replace(alices, variables={"HF_HUB_DISABLE_XET": "1"})
    shutil.rmtree(parts_folder() / ".assembled", ignore_errors=True)  # of other tests
    sha256 = weights(stock.home / "model.safetensors")
    script = """
logging.set_verbosity_debug()
done = upload_file(
    repo_id='lab/small', path_or_fileobj='model.safetensors', path_in_repo='model.safetensors'
)
path = hf_hub_download('lab/small', 'model.safetensors')
import hashlib
said = hashlib.sha256(open(path, 'rb').read()).hexdigest()
"""
    assert stock.says(script) == sha256
    assert File.objects.get(name="model.safetensors").sha256 == sha256
    (folder,) = (parts_folder() / ".assembled").iterdir()  # its sender's
    assert list(folder.iterdir()) == []  # what was in it was joined
