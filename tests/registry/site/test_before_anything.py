# SPDX-License-Identifier: Apache-2.0
"""The first page before there is much to show: it says what will stand here."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from registry.site import demo
from tests.registry.people import People
from tests.registry.pool.world import found
from tests.running import Authority


def page(client: Client) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_an_empty_registry_says_what_will_stand_here(db: None, stranger: Client) -> None:
    shown = page(stranger)
    assert "Ask a model. Then ask it for proof." in shown
    assert "No checkpoint has been published yet." in shown
    assert "<loss-chart" not in shown
    assert "Python" not in shown


def test_a_run_without_checkpoints_is_a_chart_and_a_promise(
    authority: Authority, people: People, stranger: Client
) -> None:
    run = found(people).run
    shown = page(stranger)
    assert f'data-topic="run:{run.id}"' in shown
    assert "waiting for a machine" in shown
    assert "The first checkpoint is on its way." in shown
    assert "Opens with the first published checkpoint." in shown
    assert "Here a model learns from “Two texts”." in shown
    assert "Python" not in shown


def test_of_the_demonstrations_run_it_says_what_is_learnt(
    authority: Authority, people: People, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = found(people).dataset
    monkeypatch.setattr(demo, "ORGANISATION", dataset.owner.name)
    monkeypatch.setattr(demo, "DATASET", dataset.name)
    shown = page(stranger)
    assert "A small model is learning to write Python on this machine." in shown
    assert "Begin some Python" in shown
