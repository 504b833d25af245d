# SPDX-License-Identifier: Apache-2.0
"""The first two minutes, with a run that has published a checkpoint and signed a sample."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from registry.pool import services as pool
from tests.registry.pool.world import paper_checkpoint
from tests.registry.site.world import STEP, TEXT, Shown, answer_next, ask

MOST_QUERIES = 15
PARTS = ("output", "checkpoint", "run", "dataset", "conduct")


def page(client: Client, url: str = "/") -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_a_signed_sample_stands_with_its_whole_tree(shown: Shown, stranger: Client) -> None:
    page_shown = page(stranger)
    assert TEXT in page_shown
    for part in PARTS:
        assert f'data-part="{part}"' in page_shown
    for program in ("sha256sum", "openssl", "model_signing"):
        assert f"<code>{program}</code>" in page_shown
    assert f"assay trust add {'http://localhost:8000'}" in page_shown
    assert f"/api/v1/outputs/{shown.sample.pk} -o answer.json" in page_shown


def test_whoever_is_not_signed_in_is_shown_the_way(shown: Shown, stranger: Client) -> None:
    assert "Sign in to ask" in page(stranger)


def test_whoever_is_signed_in_may_ask_the_newest_checkpoint(shown: Shown, stranger: Client) -> None:
    stranger.force_login(shown.lab.people.alice)
    answered = page(stranger)
    assert f'value="sha256:{shown.checkpoint.manifest_sha256}"' in answered
    assert "Generate and sign" in answered


def test_losses_are_a_chart_and_a_table(shown: Shown, stranger: Client) -> None:
    lab, machine = shown.lab, shown.machine
    lease = pool.claim(machine.node, now=timezone.now() + timedelta(hours=1))
    assert lease is not None
    body = {"step": 21, "bytes_seen": 9, "train": "2.5", "validation": "2.25", "seconds": "1"}
    machine.client.post(f"/api/v1/leases/{lease.id}/losses", {"points": [body]})
    answered = page(stranger)
    assert ">2.25<" in answered
    assert "<td>21</td><td>2.5</td><td>2.25</td>" in answered
    points = stranger.get(f"/site/losses/{lab.run.id}").json()
    assert points[-1] == {**body, "seconds": "1"}


def test_samples_are_fetched_anew_as_a_part_of_the_page(shown: Shown, stranger: Client) -> None:
    part = page(stranger, f"/site/samples/{shown.lab.run.id}")
    assert TEXT in part
    assert "<html" not in part
    assert f'href="{shown.checkpoint.path}"' in part


def test_an_answer_is_fetched_as_a_part_of_the_page(shown: Shown, stranger: Client) -> None:
    part = page(stranger, f"/site/answers/{shown.sample.pk}")
    assert TEXT in part
    assert "<html" not in part


@pytest.mark.parametrize("url", ["samples", "losses", "answers"])
def test_a_part_of_what_is_not_there_is_not_found(db: None, stranger: Client, url: str) -> None:
    assert stranger.get(f"/site/{url}/{'0' * 8}-0000-4000-8000-{'0' * 12}").status_code == 404


def test_somebody_elses_answer_is_not_shown(shown: Shown, stranger: Client) -> None:
    alice = shown.lab.people.alice
    ask(shown.checkpoint, by=alice)
    output = answer_next(alice)
    assert "<signed-answer" not in page(stranger, f"/?output={output.pk}")
    assert stranger.get(f"/site/answers/{output.pk}").status_code == 404


def test_the_text_is_served_byte_for_byte(shown: Shown, stranger: Client) -> None:
    answer = stranger.get(f"/outputs/{shown.sample.pk}/text")
    assert answer.content == TEXT.encode()
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("more", [0, 30])
def test_the_page_asks_the_database_little_however_many_checkpoints_there_are(
    shown: Shown,
    stranger: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    more: int,
) -> None:
    for step in range(STEP + 1, STEP + 1 + more):
        paper_checkpoint(shown.lab, step)
    with django_assert_max_num_queries(MOST_QUERIES):
        assert page(stranger).count('class="sample"') == 1 + more


def test_a_sample_begins_with_its_prompt(shown: Shown, stranger: Client) -> None:
    part = page(stranger, f"/site/samples/{shown.lab.run.id}")
    assert f'<span class="prompt">def </span>{TEXT}' in part
