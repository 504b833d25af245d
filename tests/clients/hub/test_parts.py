# SPDX-License-Identifier: Apache-2.0
"""Stock clients send a large file in parts, where they send by git-lfs at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registry.accounts.models import Token
from registry.catalog.models import File
from registry.hub import grants
from registry.hub.parts import PREFIX
from registry.storage.files import parts_folder
from tests.clients.hub.stock import Stock
from tests.registry.catalog.world import World

pytestmark = pytest.mark.django_db(transaction=True)

# The client's own functions, given what a batch answered, or something else in its place.
BY_HAND = """
from huggingface_hub import lfs
def begun(path='model.safetensors'):
    op = CommitOperationAdd(path, path)
    found = lfs.post_lfs_batch_info([op.upload_info], None, 'model', 'lab/small')
    return op, found[0][0].get('actions', {}).get('upload')
def sent(op, upload, header=None):
    header = header or upload['header']
    try:
        lfs._upload_multi_part(op, header, int(header['chunk_size']), upload['href'])
        return 'sent'
    except errors.HfHubHTTPError as error:
        return str(error)
"""
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
    assert list((parts_folder() / ".assembled").iterdir()) == []  # what was in it was joined


def by_hand(stock: Stock, script: str) -> Any:  # noqa: ANN401 - whatever JSON the script leaves
    weights(stock.home / "model.safetensors")
    (stock.home / "other.safetensors").write_bytes(bytes(TENSOR_BYTES))
    return stock.says(BY_HAND + script)


def test_sent_twice_and_after_its_end_it_is_the_same_file(alices: Stock, world: World) -> None:
    script = """
op, upload = begun()
said = [sent(op, upload), sent(op, upload), begun()[1]]
"""
    assert by_hand(alices, script) == ["sent", "sent", None]


def test_two_who_send_the_same_at_once_both_succeed(alices: Stock, world: World) -> None:
    script = """
from concurrent.futures import ThreadPoolExecutor
begun_twice = [begun(), begun()]
with ThreadPoolExecutor(2) as pool:
    said = list(pool.map(lambda each: sent(*each), begun_twice))
"""
    assert by_hand(alices, script) == ["sent", "sent"]


def expired(file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the second part as it was given seven hours ago."""
    before = time.time() - timedelta(hours=7).total_seconds()
    size = file.stat().st_size
    token, sha256 = Token.objects.latest("pk"), hashlib.sha256(file.read_bytes()).hexdigest()
    with monkeypatch.context() as patched:
        patched.setattr("django.core.signing.time.time", lambda: before)
        return PREFIX + grants.give_part(token, sha256=sha256, size_bytes=size, number=2)


def test_addresses_that_are_not_for_this_are_refused_in_words(
    alices: Stock, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another part, changed, expired, of another file; then those that were given."""
    file = alices.home / "model.safetensors"
    weights(file)
    script = f"""
op, upload = begun()
other, others = begun('other.safetensors')
header = upload['header']
def with_second(url):
    return sent(op, upload, {{**header, '00002': url}})
said = [
    with_second(header['00003']),
    with_second(header['00002'] + 'x'),
    with_second(os.environ['HF_ENDPOINT'] + {expired(file, monkeypatch)!r}),
    sent(op, {{**upload, 'href': others['href']}}),
    sent(op, upload),
]
"""
    *refused, last = by_hand(alices, script)
    expected = (
        "bytes, found 33554432 announced",
        "expected an address that the registry gave, found another",
        "expected an address of the last 6 hours, found an older one",
        "expected the object that the address was given for, found another",
    )
    for said, words in zip(refused, expected, strict=True):
        assert words in said
    assert last == "sent"
