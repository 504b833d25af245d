# SPDX-License-Identifier: Apache-2.0
"""Gated repositories by stock clients: refused in words that say where to ask, then let in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.catalog import services
from registry.catalog.models import Gate
from tests.clients.hub.stock import Stock
from tests.registry.catalog.world import World, accept, by_person, publish
from tests.registry.people import secret_of

pytestmark = pytest.mark.django_db(transaction=True)

GATE = """
if hasattr(api, 'update_repo_settings'):
    api.update_repo_settings('lab/small', gated='manual')
said = model_info('lab/small').gated
"""
READ = """
said = []
for read in (
    lambda: hf_hub_download('lab/small', 'config.json'),
    lambda: snapshot_download('lab/small'),
):
    try:
        read()
        said.append('read')
    except errors.GatedRepoError as error:
        said.append(str(error))
"""
DECIDE = """
pending = [one.username for one in api.list_pending_access_requests('lab/small')]
api.accept_access_request('lab/small', 'charlie')
accepted = [one.username for one in api.list_accepted_access_requests('lab/small')]
api.reject_access_request('lab/small', 'charlie', rejection_reason='No.')
rejected = [one.username for one in api.list_rejected_access_requests('lab/small')]
api.cancel_access_request('lab/small', 'charlie')
api.grant_access('lab/small', 'charlie')
said = [pending, accepted, rejected]
"""


def test_the_clients_say_where_to_ask_and_owners_let_in_by_them(
    alices: Stock, world: World
) -> None:
    publish(by_person(world))
    assert alices.says(GATE) == "manual"
    folder = alices.home / "charlie"
    folder.mkdir()
    charlies = replace(alices, token=secret_of(world.people.charlie, "read"), home=folder)
    for words in charlies.says(READ):
        assert "lab/small is gated" in words
        assert "/lab/small/settings/ask" in words
    accept(world, world.people.charlie)
    services.ask(world.project, by=world.people.charlie)
    assert alices.says(DECIDE) == [["charlie"], ["charlie"], ["charlie"]]
    assert charlies.says(READ) == ["read", "read"]


def test_the_command_says_where_to_ask(alices: Stock, world: World) -> None:
    publish(by_person(world))
    services.set_gate(world.project, Gate.AUTOMATIC, by=world.people.alice)
    charlies = replace(alices, token=secret_of(world.people.charlie, "read"))
    refused = charlies.run("download", "lab/small", "config.json", program="hf")
    assert refused.code != 0
    assert "/lab/small/settings/ask" in refused.out + refused.err
    accept(world, world.people.charlie)
    services.ask(world.project, by=world.people.charlie)
    assert charlies.run("download", "lab/small", "config.json", program="hf").code == 0
