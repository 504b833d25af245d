# SPDX-License-Identifier: Apache-2.0
"""Stock clients publish: what they commit is signed, logged, and comes back byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.signing.verify import verify_checkpoint
from registry.catalog import queries
from registry.catalog.models import Checkpoint
from registry.catalog.queries import revisions
from registry.conduct import services as conduct
from registry.storage import services as storage
from registry.storage.models import Holding
from tests.clients.hub.stock import Stock
from tests.registry.catalog.weights import weights
from tests.registry.catalog.world import FILES, World
from tests.registry.verifying import demands
from tests.running import Authority, Live

pytestmark = pytest.mark.django_db(transaction=True)


def lay(folder: Path) -> Path:
    """A model as people have it on their disk: weights, a long text, small files, folders."""
    found = folder / "model"
    (found / "sub").mkdir(parents=True)
    for name, content in FILES.items():
        (found / name).write_bytes(content)
    (found / "sub" / "vocab.txt").write_bytes(b"word " * 300_000)
    (found / ".gitattributes").write_text("*.safetensors filter=lfs\n")
    return found


def test_a_folder_is_published_signed_and_comes_back(
    alices: Stock, world: World, authority: Authority
) -> None:
    folder = lay(alices.home)
    script = f"""
url = create_repo('lab/new')
create_repo('lab/new', exist_ok=True)
done = upload_folder(repo_id='lab/new', folder_path={str(folder)!r}, commit_message='All of it')
again = upload_folder(repo_id='lab/new', folder_path={str(folder)!r})
back = snapshot_download('lab/new')
said = [str(url), done.oid, again.oid, back]
"""
    url, oid, again, back = alices.says(script)
    assert url == f"{alices.url}/lab/new"
    assert again == oid
    names = {*FILES, "sub/vocab.txt", ".gitattributes"}
    assert all((Path(back) / n).read_bytes() == (folder / n).read_bytes() for n in names)
    checkpoint = Checkpoint.objects.get(project__name="new")
    assert (checkpoint.oid, checkpoint.run_id) == (oid, None)
    assert {file.name for file in queries.manifest(checkpoint).files} == names
    evidence = queries.evidence(checkpoint)
    files = queries.manifest(checkpoint)
    verify_checkpoint(evidence, trust=authority.trust_root, requirements=demands(), files=files)


def test_single_files_are_put_changed_and_taken_away(alices: Stock, world: World) -> None:
    script = """
said = []
upload_file(repo_id='lab/small', path_or_fileobj=b'# One', path_in_repo='README.md')
upload_file(repo_id='lab/small', path_or_fileobj=b'a' * 2_000_000, path_in_repo='a/long.txt')
upload_file(repo_id='lab/small', path_or_fileobj=b'# Two', path_in_repo='README.md')
said.append(open(hf_hub_download('lab/small', 'README.md')).read())
copies = {'a/long.txt': 'b/long.txt', 'README.md': 'b/card.md'}
api.create_commit(
    'lab/small', [CommitOperationCopy(*pair) for pair in copies.items()], commit_message='Copy'
)
delete_file('a/long.txt', 'lab/small')
said.append(sorted(list_repo_files('lab/small')))
said.append([found.title for found in list_repo_commits('lab/small')][0])
"""
    card, files, title = alices.says(script)
    left = ["README.md", "b/card.md", "b/long.txt", "model.sig", "model.sigstore.json"]
    assert (card, files) == ("# Two", left)
    assert "a/long.txt" in title


def test_a_commit_is_compared_with_its_parent(alices: Stock, world: World) -> None:
    script = """
put = lambda name: [CommitOperationAdd(path_in_repo=name, path_or_fileobj=b'x')]
first = create_commit('lab/small', put('a.txt'), commit_message='First', parent_commit='0' * 40)
second = create_commit(
    'lab/small', put('b.txt'), commit_message='Second', commit_description='Said',
    parent_commit=first.oid,
)
try:
    create_commit('lab/small', put('c.txt'), commit_message='Late', parent_commit=first.oid)
except errors.HfHubHTTPError as error:
    said = [error.response.status_code, str(error), second.oid]
"""
    status, message, oid = alices.says(script)
    assert status == 412
    assert "expected main at" in message
    found = revisions.find(world.project, "main")
    assert found.oid == oid
    assert [each.title for each in revisions.history(found, limit=9)] == ["Second", "First"]


def test_branches_and_tags_are_made_and_taken_away(alices: Stock, world: World) -> None:
    script = """
first = upload_file(repo_id='lab/small', path_or_fileobj=b'1', path_in_repo='a.txt')
create_tag('lab/small', tag='v1.0', tag_message='One')
create_branch('lab/small', branch='dev/x')
create_branch('lab/small', branch='dev/x', exist_ok=True)
upload_file(repo_id='lab/small', path_or_fileobj=b'2', path_in_repo='a.txt', revision='dev/x')
read = lambda revision: open(hf_hub_download('lab/small', 'a.txt', revision=revision)).read()
said = [read('main'), read('v1.0'), read('dev/x')]
delete_tag('lab/small', tag='v1.0')
delete_branch('lab/small', branch='dev/x')
refs = list_repo_refs('lab/small')
said.append([ref.name for ref in [*refs.branches, *refs.tags]])
"""
    assert alices.says(script) == ["1", "1", "2", ["main"]]


def test_what_the_registry_refuses_people_are_told(alices: Stock, world: World) -> None:
    """And nothing is there afterwards that was not before."""
    script = """
said = []
pickle = b'\\x80\\x04\\x95\\x0c\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x8c\\x02os\\x94.'
refused(upload_file, repo_id='lab/small', path_or_fileobj=pickle, path_in_repo='model.bin')
refused(create_repo, 'charlie/theirs')
refused(create_repo, 'lab/UPPER')
"""
    bad, foreign, upper = alices.says(script)
    assert "model.bin: expected text, or a file ending in" in bad
    assert "expected somebody who acts for 'charlie'" in foreign
    assert "expected at most 100 characters a-z" in upper
    assert not Checkpoint.objects.exists()


def test_without_acceptance_people_are_told_where_to_accept(alices: Stock, world: World) -> None:
    conduct.withdraw(world.conduct, world.lab, world.people.alice)
    script = """
try:
    upload_file(repo_id='lab/small', path_or_fileobj=b'1', path_in_repo='a.txt')
except errors.GatedRepoError as error:
    said = str(error)
"""
    assert f"http://localhost:8000{world.conduct.path}" in alices.says(script)


def test_what_others_sent_is_not_had_by_naming_it(alices: Stock, world: World, live: Live) -> None:
    """Charlie's weights, which nobody published: Alice, who knows the digest, must send them."""
    content = weights()
    sha256 = storage.store(content, holder="user:charlie").sha256
    (alices.home / "m.safetensors").write_bytes(content)
    script = """
said = upload_file(
    repo_id='lab/small', path_or_fileobj='m.safetensors', path_in_repo='m.safetensors'
).oid"""
    assert alices.says(script)
    holders = Holding.objects.filter(blob=sha256).values_list("holder", flat=True)
    assert {"user:charlie", "user:alice"} <= set(holders)
