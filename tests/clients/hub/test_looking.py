# SPDX-License-Identifier: Apache-2.0
"""Stock clients look: repositories, their files, history, weights' headers, and who one is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.catalog import services
from registry.catalog.queries.revisions import Kind, find
from tests.clients.hub.stock import Stock
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import FILES, World, by_node, by_person, project, publish
from tests.registry.people import secret_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_repositories_are_listed_searched_and_described(stock: Stock, world: World) -> None:
    published = publish(by_person(world))
    for number in range(3):
        project(world.lab, world.conduct, world.people.alice, f"empty-{number}")
    script = """
said = [
    [found.id for found in list_models(author='lab')],
    [found.id for found in list_models(search='lab empty-1', limit=1)],
    [found.id for found in list_models(filter='safetensors', sort='lastModified')],
]
one = model_info('lab/small', files_metadata=True)
said.append([one.id, one.sha, one.private, one.gated, one.author])
said.append({file.rfilename: file.size for file in one.siblings if file.lfs})
said.append(model_info('lab/empty-0').sha)
"""
    listed, searched, weighty, one, large, empty = stock.says(script)
    assert listed == ["lab/empty-2", "lab/empty-1", "lab/empty-0", "lab/small"]
    assert (searched, weighty) == (["lab/empty-1"], ["lab/small"])
    assert one == ["lab/small", published.oid, False, False, "lab"]
    assert (large, empty) == ({"model.safetensors": len(FILES["model.safetensors"])}, "0" * 40)


def test_files_folders_and_single_paths_are_found(stock: Stock, world: World) -> None:
    publish(by_person(world, files={**FILES, "a/b/c.txt": b"c", "a/d.txt": b"d"}))
    script = """
tree = lambda *a, **k: [found.path for found in list_repo_tree('lab/small', *a, **k)]
said = [
    sorted(list_repo_files('lab/small')),
    tree(), tree('a'), tree('a', recursive=True),
    [found.path for found in get_paths_info('lab/small', ['a', 'README.md', 'none'])],
    [found.last_commit.title for found in list_repo_tree('lab/small', 'a/b', expand=True)],
    get_paths_info('lab/small', 'config.json', expand=True)[0].last_commit.title,
]
"""
    files, top, inside, below, paths, touched, configured = stock.says(script)
    names = ["README.md", "a/b/c.txt", "a/d.txt", "config.json", "model.safetensors"]
    assert files == [*names, "model.sig", "model.sigstore.json"]
    assert top == ["README.md", "a", *files[3:]]
    assert (inside, below) == (["a/b", "a/d.txt"], ["a/b", "a/b/c.txt", "a/d.txt"])
    assert sorted(paths) == ["README.md", "a"]
    assert (touched, configured) == (["first"], "first")


def test_history_branches_and_tags_are_listed(stock: Stock, world: World) -> None:
    old = publish(by_node(world))
    alice, at = world.people.alice, find(world.project, "main")
    for kind, name in ((Kind.BRANCH, "dev/x"), (Kind.TAG, "v1")):
        services.add_ref(world.project, kind, name, at, by=alice, actor=alice.actor)
    new = publish(by_person(world))
    script = """
refs = list_repo_refs('lab/small')
said = [
    {ref.name: ref.target_commit for ref in refs.branches},
    {ref.name: ref.target_commit for ref in refs.tags},
    [[found.commit_id, found.title, found.authors] for found in list_repo_commits('lab/small')],
    [found.commit_id for found in list_repo_commits('lab/small', revision='dev/x')],
    sorted(list_repo_files('lab/small', revision='dev/x'))[-1],
    open(hf_hub_download('lab/small', 'step.txt', revision='dev/x')).read(),
]
"""
    branches, tags, commits, before, last, step = stock.says(script)
    assert branches == {"main": new.oid, "dev/x": old.oid}
    assert tags == {"v1": old.oid}
    assert commits == [[new.oid, "first", ["alice"]], [old.oid, "step-000010", []]]
    assert (before, last, step) == ([old.oid], "step.txt", "10\n")


def test_the_headers_of_weights_are_read_from_afar(stock: Stock, world: World) -> None:
    shards = {"a.safetensors": weights(), "b.safetensors": weights()}
    index = b'{"metadata":{"total_size":8},"weight_map":{"x":"a.safetensors","y":"b.safetensors"}}'
    publish(by_person(world, files={**shards, "model.safetensors.index.json": index}))
    script = """
one = api.parse_safetensors_file_metadata('lab/small', 'a.safetensors')
all = api.get_safetensors_metadata('lab/small')
said = [sorted(one.tensors), sorted(all.files_metadata)]
if hasattr(api, 'get_sharded_safetensors_metadata'):
    found = api.get_sharded_safetensors_metadata('lab/small')
    assert sorted(found.files_metadata) == said[1] and found.metadata == {'total_size': 8}
"""
    tensors, files = stock.says(script)
    assert tensors
    assert files == ["a.safetensors", "b.safetensors"]


def test_a_token_is_told_whose_it_is_and_a_wrong_one_that_it_is_none(
    stock: Stock, world: World
) -> None:
    token = secret_of(world.people.alice, "read", "publish")
    script = """
who = api.whoami()
said = [who['name'], [found['name'] for found in who['orgs']]]
said.append(who['auth']['accessToken']['role'])
try:
    api.whoami(token='assay_' + 'a' * 38)
except Exception as error:
    said.append('Invalid user token' in str(error))
"""
    assert replace(stock, token=token).says(script) == ["alice", ["lab"], "write", True]
    assert replace(stock, token=token).run("auth", "whoami", program="hf").code == 0


@pytest.mark.parametrize("stock", ["2.4"], indirect=True)  # the first that has the command
def test_the_cache_verifies_and_one_changed_byte_does_not(stock: Stock, world: World) -> None:
    publish(by_person(world))
    folder = stock.says("said = snapshot_download('lab/small')")
    verify = ("cache", "verify", "lab/small")
    verified = stock.run(*verify, program="hf")
    assert verified.code == 0, verified.err
    (stock.home / str(folder) / "config.json").write_bytes(b"{}")
    assert stock.run(*verify, program="hf").code != 0
