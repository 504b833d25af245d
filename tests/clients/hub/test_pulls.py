# SPDX-License-Identifier: Apache-2.0
"""Stock clients open pull requests, look at them, say things and merge them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assay.signing.verify import verify_checkpoint
from registry.accounts.queries import User
from registry.catalog import queries
from registry.catalog.models import Checkpoint
from registry.catalog.queries import revisions
from registry.conduct import services as conduct
from tests.clients.hub.stock import Stock
from tests.registry.catalog.world import FILES, World, by_person, publish
from tests.registry.people import secret_of
from tests.registry.verifying import demands
from tests.running import Authority

pytestmark = pytest.mark.django_db(transaction=True)

PROPOSES = """
made = upload_file(
    repo_id='lab/small', path_or_fileobj=b'# Better', path_in_repo='README.md',
    commit_message='Say it better', commit_description='It was short.', create_pr=True,
)
more = create_commit(
    'lab/small', [CommitOperationAdd("long.txt", b"a" * 2_000_000)],
    commit_message='Add more', revision=made.pr_revision, parent_commit=made.oid,
)
read = open(hf_hub_download('lab/small', 'README.md', revision=made.pr_revision)).read()
main = open(hf_hub_download('lab/small', 'README.md')).read()
refs = list_repo_refs('lab/small', include_pull_requests=True).pull_requests
found = get_discussion_details('lab/small', made.pr_num)
comment_discussion('lab/small', made.pr_num, 'Please look.')
rename_discussion('lab/small', made.pr_num, 'Say it much better')
said = [
    made.pr_url, made.pr_revision, more.oid, read, main, refs[0].ref, refs[0].target_commit,
    found.status, found.author, [event.type for event in found.events],
    snapshot_download('lab/small', revision=made.pr_revision).split('/')[-1],
]
"""
MERGES = """
merge_pull_request('lab/small', 1, comment='Thank you.')
found = get_discussion_details('lab/small', 1)
listed = [(each.num, each.title, each.status) for each in get_repo_discussions('lab/small')]
said = [found.merge_commit_oid, found.status, found.target_branch, listed,
        list_repo_commits('lab/small')[0].commit_id]
"""


@pytest.fixture
def charlies(stock: Stock, world: World) -> Stock:
    """A stranger's, who accepted the conduct that the project is under."""
    charlie = world.people.charlie
    conduct.accept(world.conduct, charlie.namespace, charlie)
    return replace(stock, token=secret_of(charlie, "read", "publish"))


def owner_of(checkpoint: Checkpoint | None) -> User | str:
    assert checkpoint is not None
    return checkpoint.project.owner.name


def test_a_stranger_proposes_and_a_member_merges(
    charlies: Stock, alices: Stock, world: World, authority: Authority
) -> None:
    first = publish(by_person(world))
    url, name, oid, read, main, ref, target, status, author, events, snapshot = charlies.says(
        PROPOSES
    )
    assert (url, name) == (f"{charlies.url}/lab/small/discussions/1", "refs/pr/1")
    assert (read, main) == ("# Better", FILES["README.md"].decode())
    assert (ref, target, snapshot) == (name, oid, oid)
    assert (status, author) == ("open", "charlie")
    assert events == ["comment", "commit", "commit"]
    assert revisions.find(world.project, "main").checkpoint == first
    proposed = revisions.find_any(world.project, name).checkpoint
    assert (owner_of(proposed), queries.published_in(world.project).count()) == ("charlie", 1)
    said = alices.says(MERGES)
    assert said == [
        oid,
        "merged",
        "refs/heads/main",
        [[1, "Say it much better", "merged"]],
        oid,
    ]
    merged = revisions.find(world.project, "main").checkpoint
    assert merged is not None
    assert owner_of(merged) == "lab"
    verify_checkpoint(
        queries.evidence(merged),
        trust=authority.trust_root,
        requirements=demands(),
        files=queries.manifest(merged),
    )


def test_only_members_merge_and_who_has_not_accepted_is_told_where(
    charlies: Stock, world: World
) -> None:
    publish(by_person(world))
    script = """
said = []
more = dict(repo_id='lab/small', path_or_fileobj=b'x', path_in_repo='x.txt')
made = upload_file(**more, create_pr=True)
refused(upload_file, **more)
refused(merge_pull_request, 'lab/small', made.pr_num)
"""
    main, merging = charlies.says(script)
    assert "expected somebody who acts for 'lab'" in main
    assert "expected somebody who acts for 'lab'" in merging
    charlie = world.people.charlie
    conduct.withdraw(world.conduct, charlie.namespace, charlie)
    (gated,) = charlies.says("""
said = []
try:
    upload_file(repo_id='lab/small', path_or_fileobj=b'y', path_in_repo='y.txt', create_pr=True)
except errors.GatedRepoError as error:
    said.append(str(error))
""")
    assert f"http://localhost:8000{world.conduct.path}" in gated


def test_a_folder_is_proposed_to_a_pull_request_that_was_opened_before(
    charlies: Stock, world: World
) -> None:
    publish(by_person(world))
    folder = charlies.home / "model"
    folder.mkdir()
    (folder / "notes.txt").write_bytes(b"word " * 400_000)
    (folder / "a.txt").write_text("a")
    script = f"""
made = create_pull_request('lab/small', title='Notes', description='For you.')
draft = made.status
done = upload_folder(
    repo_id='lab/small', folder_path={str(folder)!r}, revision=made.git_reference
)
other = upload_folder(repo_id='lab/small', folder_path={str(folder)!r}, create_pr=True)
change_discussion_status('lab/small', other.pr_num, 'closed', comment='Twice.')
found = get_discussion_details('lab/small', made.num)
said = [draft, found.status, found.conflicting_files, done.oid, other.oid, other.pr_revision,
        sorted(list_repo_files('lab/small', revision=made.git_reference)),
        [each.num for each in get_repo_discussions('lab/small', discussion_status='open')]]
"""
    draft, status, conflicts, oid, other, ref, names, numbers = charlies.says(script)
    assert (draft, status, conflicts, ref, numbers) == ("draft", "open", [], "refs/pr/2", [1])
    assert oid == other  # the same files have the same name
    assert {"notes.txt", "a.txt", *FILES} <= set(names)
