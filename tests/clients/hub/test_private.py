# SPDX-License-Identifier: Apache-2.0
"""Private repositories by stock clients: made, filled, read by members, and not by strangers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.catalog import queries
from tests.clients.hub.stock import Stock
from tests.registry.catalog.world import World
from tests.registry.people import secret_of

pytestmark = pytest.mark.django_db(transaction=True)

MAKE = """
create_repo('lab/hidden', private=True)
upload_file(repo_id='lab/hidden', path_or_fileobj=b'# Ours', path_in_repo='README.md')
upload_file(repo_id='lab/hidden', path_or_fileobj=b'a' * 2_000_000, path_in_repo='long.txt')
found = model_info('lab/hidden')
said = [found.private, sorted(list_repo_files('lab/hidden'))]
"""
READ = """
said = []
try:
    said.append(open(hf_hub_download('lab/hidden', 'long.txt')).read()[:1])
    said.append(len(list(list_models(author='lab'))))
except errors.RepositoryNotFoundError as error:
    said.append('none')
    said.append(len(list(list_models(author='lab'))))
"""


def test_members_read_what_strangers_do_not_find(alices: Stock, world: World) -> None:
    is_private, files = alices.says(MAKE)
    assert (is_private, files[:2]) == (True, ["README.md", "long.txt"])
    assert alices.says(READ) == ["a", 2]
    for person, expected in ((world.people.bob, ["a", 2]), (world.people.charlie, ["none", 1])):
        folder = alices.home / person.username
        folder.mkdir()
        other = replace(alices, token=secret_of(person, "read"), home=folder)
        assert other.says(READ) == expected


def test_an_owner_shows_moves_and_deletes_it(alices: Stock, world: World) -> None:
    script = """
create_repo('lab/hidden', private=True)
if hasattr(api, 'update_repo_settings'):
    api.update_repo_settings('lab/hidden', private=False)
else:
    update_repo_visibility('lab/hidden', private=False)
shown = model_info('lab/hidden').private
move_repo('lab/hidden', 'lab/shown')
moved = model_info('lab/hidden').id
delete_repo('lab/shown')
said = [shown, moved, repo_exists('lab/shown'), repo_exists('lab/hidden')]
"""
    assert alices.says(script) == [False, "lab/shown", False, False]
    assert not queries.projects(world.people.alice).filter(name="shown").exists()
