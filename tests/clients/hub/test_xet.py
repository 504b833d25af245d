# SPDX-License-Identifier: Apache-2.0
"""Stock clients send large files by Xet, as they do by themselves: told nothing but HF_ENDPOINT."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from registry.hub.models import Xorb
from registry.storage import quotas
from registry.storage.files import parts_folder
from registry.storage.models import Blob, Holding
from tests.clients.hub.stock import PRELUDE, Stock
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import FILES, World
from tests.registry.people import secret_of
from tests.until import until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stock", ["1.33", "2.4"], indirect=True),
]

MEBIBYTE = 1024 * 1024
PUT = "oid = upload_file(repo_id='lab/small', path_or_fileobj={0!r}, path_in_repo={0!r}).oid\n"
BACK = "said = open(hf_hub_download('lab/small', {0!r}, revision=oid), 'rb').read().hex()\n"


def model(seed: int, size_bytes: int, *, change: bytes = b"") -> bytes:
    """Weights that do not shrink; `change` is put into their middle, in place of others."""
    content = bytearray(hashlib.shake_128(str(seed).encode()).digest(size_bytes))
    content[size_bytes // 2 : size_bytes // 2 + len(change)] = change
    return weights({"w": bytes(content)})


def lay(stock: Stock, name: str, content: bytes) -> str:
    (stock.home / name).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def sent_bytes() -> int:
    """What the xorbs that came are of, all together."""
    return sum(
        int.from_bytes(bytes(row.chunks)[at : at + 4], "little")
        for row in Xorb.objects.all()
        for at in range(32, len(bytes(row.chunks)), 36)
    )


def test_a_file_of_thirty_megabytes_goes_by_xet_and_comes_back(alices: Stock, world: World) -> None:
    content = model(1, 30 * MEBIBYTE)
    sha256 = lay(alices, "model.safetensors", content)
    back = alices.says(PUT.format("model.safetensors") + BACK.format("model.safetensors"))
    assert bytes.fromhex(back) == content
    assert Holding.objects.filter(blob=sha256, holder="user:alice").exists()
    assert sent_bytes() == len(content)


def test_once_files_have_all_of_it_nothing_is_stored_twice(alices: Stock, world: World) -> None:
    lay(alices, "model.safetensors", model(2, 3 * MEBIBYTE))
    before = set(parts_folder().iterdir())
    alices.says(PUT.format("model.safetensors") + "said = oid")
    assert not Xorb.objects.exclude(is_released=True, staged="").exists()
    assert not Holding.objects.filter(holder__startswith="staged:").exists()
    assert quotas.use_of("staged:user:alice") == quotas.use_of("user:alice")
    assert set(parts_folder().iterdir()) == before


def test_of_a_file_that_changed_a_little_only_that_is_sent(alices: Stock, world: World) -> None:
    before, after = (model(3, 20 * MEBIBYTE, change=change) for change in (b"", b"changed"))
    lay(alices, "model.safetensors", before)
    alices.says(PUT.format("model.safetensors") + "said = oid")
    first = sent_bytes()
    lay(alices, "model.safetensors", after)
    back = alices.says(PUT.format("model.safetensors") + BACK.format("model.safetensors"))
    assert bytes.fromhex(back) == after
    assert first == len(before)
    assert 0 < sent_bytes() - first < MEBIBYTE


def test_a_file_that_was_sent_before_is_told_by_a_shard_alone(alices: Stock, world: World) -> None:
    """Two files, then one that is both: the client knows every chunk, and sends none."""
    parts = [model(seed, 4 * MEBIBYTE) for seed in (4, 5)]
    for number, part in enumerate(parts):
        lay(alices, f"{number}.safetensors", part)
        alices.says(PUT.format(f"{number}.safetensors") + "said = oid")
    xorbs, before = Xorb.objects.count(), sent_bytes()
    (alices.home / "0.safetensors").rename(alices.home / "again.safetensors")
    back = alices.says(PUT.format("again.safetensors") + BACK.format("again.safetensors"))
    assert bytes.fromhex(back) == parts[0]
    assert (Xorb.objects.count(), sent_bytes()) == (xorbs, before)


def test_a_folder_of_large_and_small_files(alices: Stock, world: World) -> None:
    folder = alices.home / "model"
    (folder / "sub").mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    for number in range(12):
        (folder / "sub" / f"{number}.safetensors").write_bytes(model(number, MEBIBYTE + number))
    script = f"""
upload_folder(repo_id='lab/small', folder_path={str(folder)!r})
said = snapshot_download('lab/small')
"""
    back = Path(alices.says(script))
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert (back / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_the_command_uploads_a_folder(alices: Stock, world: World) -> None:
    lay(alices, "model.safetensors", model(6, 2 * MEBIBYTE))
    ran = alices.run("upload", "lab/small", "model.safetensors", program="hf")
    assert ran.code == 0, ran.err
    assert sent_bytes() > 2 * MEBIBYTE


def test_what_was_killed_in_the_middle_goes_on(alices: Stock, world: World) -> None:
    """The client may remember what it had sent: the registry has to."""
    content = model(7, 150 * MEBIBYTE)
    sha256 = lay(alices, "model.safetensors", content)
    script = PRELUDE + PUT.format("model.safetensors")
    with subprocess.Popen(
        (str(alices.folder / "python"), "-c", script),
        cwd=alices.home,
        env=alices._environment(),
        stderr=subprocess.DEVNULL,
    ) as killed:
        try:
            until(Xorb.objects.exists)
        finally:
            killed.kill()
    assert not Blob.objects.filter(pk=sha256).exists()
    assert alices.says(PUT.format("model.safetensors") + "said = oid")
    assert Holding.objects.filter(blob=sha256, holder="user:alice").exists()


def test_two_people_send_the_same_and_neither_is_told(alices: Stock, world: World) -> None:
    content = model(8, 2 * MEBIBYTE)
    sha256 = lay(alices, "model.safetensors", content)
    alices.says(PUT.format("model.safetensors") + "said = oid")
    home = alices.home / "bobs"
    home.mkdir()
    bobs = replace(alices, token=secret_of(world.people.bob, "read", "publish"), home=home)
    lay(bobs, "model.safetensors", content)
    bobs.says(PUT.format("model.safetensors") + "said = oid")
    assert Xorb.objects.filter(holder="user:bob").exists()
    holders = Holding.objects.filter(blob=sha256).values_list("holder", flat=True)
    assert {"user:alice", "user:bob"} <= set(holders)


def test_who_has_anothers_memory_gets_nothing_of_theirs(alices: Stock, world: World) -> None:
    """Bob's client believes that all was sent, because Alice's sent it: he is told what to do."""
    sha256 = lay(alices, "model.safetensors", model(9, 2 * MEBIBYTE))
    alices.says(f"create_repo('lab/other')\n{PUT.format('model.safetensors')}said = oid")
    bobs = replace(alices, token=secret_of(world.people.bob, "read", "publish"))
    ran = bobs.run("upload", "lab/other", "model.safetensors", program="hf")
    assert ran.code != 0
    assert "remove the folder ~/.cache/huggingface/xet (HF_XET_CACHE) and upload again" in ran.err
    assert not Holding.objects.filter(blob=sha256, holder="user:bob").exists()


def test_a_quota_is_said_before_the_bytes_are_sent(alices: Stock, world: World) -> None:
    quotas.allow("user:alice", MEBIBYTE)
    lay(alices, "model.safetensors", model(10, 2 * MEBIBYTE))
    ran = alices.run("upload", "lab/small", "model.safetensors", program="hf")
    assert ran.code != 0
    assert f"expected at most {MEBIBYTE} bytes stored by user:alice, found 0 used" in ran.err
    assert not Xorb.objects.exists()
