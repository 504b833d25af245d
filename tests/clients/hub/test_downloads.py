# SPDX-License-Identifier: Apache-2.0
"""Stock clients download: single files, whole revisions, again, and what is not there."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from tests.clients.hub.stock import Stock
from tests.registry.catalog.world import FILES, World, by_node, by_person, publish
from tests.thorough import essential

pytestmark = [pytest.mark.django_db(transaction=True), essential]


def test_a_snapshot_has_every_byte_and_the_signature(stock: Stock, world: World) -> None:
    published = publish(by_person(world))
    said = stock.says("said = snapshot_download('lab/small')")
    assert isinstance(said, str)
    assert said.endswith(f"/snapshots/{published.oid}")
    folder = stock.home / said
    assert {
        path.name: path.read_bytes() for path in folder.iterdir() if path.name in FILES
    } == FILES
    assert {"model.sig", "model.sigstore.json"} < {path.name for path in folder.iterdir()}


def test_a_file_comes_by_branch_oid_and_checkpoints_name(stock: Stock, world: World) -> None:
    old = publish(by_node(world))
    publish(by_person(world))
    script = f"""
said = [
    open(hf_hub_download('lab/small', name, revision=revision), 'rb').read().decode('latin-1')
    for name, revision in (
        ('model.safetensors', None), ('README.md', 'main'), ('step.txt', '{old.oid}'),
        ('step.txt', 'step-000010'),
    )
]"""
    weights, card = FILES["model.safetensors"].decode("latin-1"), FILES["README.md"].decode()
    assert stock.says(script) == [weights, card, "10\n", "10\n"]


def test_each_file_is_known_by_its_digest_and_not_sent_again(stock: Stock, world: World) -> None:
    """Large ones by SHA-256, others by git's own name for them."""
    published = publish(by_person(world))
    script = """
said = []
for name in ('model.safetensors', 'config.json'):
    found = get_hf_file_metadata(hf_hub_url('lab/small', name))
    first = hf_hub_download('lab/small', name)
    again = hf_hub_download('lab/small', name, force_download=False)
    assert os.path.basename(os.path.realpath(first)) == found.etag and first == again
    said.append([found.commit_hash, found.etag, found.size])
"""
    weights, config = FILES["model.safetensors"], FILES["config.json"]
    assert stock.says(script) == [
        [published.oid, hashlib.sha256(weights).hexdigest(), len(weights)],
        [published.oid, git_name(config), len(config)],
    ]


def git_name(content: bytes) -> str:
    command = ("git", "hash-object", "--stdin")
    return (
        subprocess.run(command, input=content, capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )


def test_what_is_not_there_is_said_in_the_clients_words(stock: Stock, world: World) -> None:
    publish(by_person(world))
    script = """
said = []
for repo, name, revision in (
    ('lab/none', 'a', None), ('lab/small', 'a', None), ('lab/small', 'README.md', 'dev'),
):
    try:
        hf_hub_download(repo, name, revision=revision)
    except Exception as error:
        said.append(type(error).__name__)
said.append([file_exists('lab/small', n) for n in ('README.md', 'none')])
said.append([repo_exists(n) for n in ('lab/small', 'lab/none')])
said.append([revision_exists('lab/small', n) for n in ('main', 'none')])
"""
    *errors, files, repos, revisions = stock.says(script)
    assert errors == [
        "RepositoryNotFoundError",
        "RemoteEntryNotFoundError" if stock.version != "0.36" else "EntryNotFoundError",
        "RevisionNotFoundError",
    ]
    assert (files, repos, revisions) == ([True, False],) * 3


def test_an_interrupted_download_goes_on_where_it_stopped(stock: Stock, world: World) -> None:
    """The first bytes are there; what 0.36 keeps across its processes, the others do not."""
    content = b"word " * 200_000
    publish(by_person(world, files={**FILES, "long.txt": content}))
    script = """
from huggingface_hub import file_download
ranges = []
kept = file_download.http_get
def get(url, temp_file, *, resume_size=0, **rest):
    if not resume_size:
        import io
        temp_file.write(b'word ' * 1000)
        resume_size = 5000
    ranges.append(resume_size)
    return kept(url, temp_file, resume_size=resume_size, **rest)
file_download.http_get = get
path = hf_hub_download('lab/small', 'long.txt')
said = [ranges, open(path, 'rb').read() == b'word ' * 200000]
"""
    assert stock.says(script) == [[5000], True]
