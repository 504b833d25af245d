# SPDX-License-Identifier: Apache-2.0
"""Who may publish sees what was imported, what waits, and why something was refused."""

from __future__ import annotations

from html import unescape

from django.test import Client
from pytest_django import Settings

from registry.accounts.models import User
from registry.imports import services, tasks
from registry.imports.models import Import
from tests.registry.catalog.world import World
from tests.registry.imports.test_imports import converter, wanted
from tests.trainers.test_converting import GROUP, saved

__all__ = ["converter"]  # the fixture
PAGE = "/lab/small/settings/imports"


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text_of(person: User, url: str = PAGE) -> str:
    return unescape(browser(person).get(url).content.decode())


def test_what_is_underway_and_what_ended_stand_apart(world: World) -> None:
    services.ask(wanted(world, saved({"w": GROUP}), source_name="good.pt"))
    services.ask(wanted(world, b"no pickle", source_name="bad.pt"))
    tasks.carry_out()
    services.ask(wanted(world, b"another", source_name="later.pt", name="b.safetensors"))
    underway, ended = text_of(world.people.alice).split(">Ended<")
    assert "later.pt" in underway
    assert "waits to be converted" in underway
    assert "to become b.safetensors" in underway
    refused = Import.objects.get(source_name="bad.pt")
    assert refused.reason in ended
    done = Import.objects.get(source_name="good.pt")
    address = f"/lab/small/commit/{done.oid}"
    assert f'<a href="{address}">model.safetensors in its revision</a>' in ended
    assert browser(world.people.alice).get(address, follow=True).status_code == 200
    assert "asked by alice" in ended


def test_members_see_each_others_and_others_nothing(world: World, converter: None) -> None:
    services.ask(wanted(world))
    people = world.people
    assert "asked by alice" in text_of(people.bob)
    assert browser(people.charlie).get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302


def test_the_projects_page_leads_there_and_the_page_says_how(world: World) -> None:
    link = f'<a href="{PAGE}">Imports</a>'
    assert link in text_of(world.people.bob, "/lab/small")
    assert link not in text_of(world.people.charlie, "/lab/small")
    assert "assay import pytorch_model.bin lab/small --registry http" in text_of(world.people.bob)


def test_where_it_is_switched_off_that_is_said(world: World, settings: Settings) -> None:
    settings.CONVERTER = "off"
    page = text_of(world.people.alice)
    assert "This registry converts nothing" in page
    assert "assay import" not in page
