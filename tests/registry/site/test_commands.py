# SPDX-License-Identifier: Apache-2.0
"""The commands that pages print fail when the server does, and carry a token where one is due."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from registry.accounts.models import User
from registry.outputs.models import Output
from registry.pool import services as pool
from registry.site import queries
from registry.site.strangers import CURL, HEADER
from tests.registry.pool.world import submission
from tests.registry.site.world import STEP, Shown, answer_next, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def private(shown: Shown) -> Output:
    """A text that is Alice's alone."""
    alice = shown.lab.people.alice
    ask(shown.checkpoint, by=alice)
    return answer_next(alice)


def page(url: str, reader: User | None = None) -> str:
    client = Client()
    if reader is not None:
        client.force_login(reader)
    return unescape(client.get(url).content.decode())


def test_every_curl_says_when_it_fails(shown: Shown) -> None:
    for url in ("/", shown.sample.path, shown.checkpoint.path, shown.lab.version.path):
        assert set(re.findall(r"curl [^ ]+", page(url))) <= {CURL}


def test_a_sample_is_fetched_by_anybody(shown: Shown) -> None:
    for url in ("/", shown.sample.path):
        assert "curl" in page(url)
        assert "ASSAY_TOKEN" not in page(url)


def test_a_private_output_is_fetched_with_its_callers_token(shown: Shown, private: Output) -> None:
    alice = shown.lab.people.alice
    save = f"{CURL} {HEADER} {settings.PUBLIC_URL}/api/v1/outputs/{private.pk} -o answer.json"
    for url in (f"/?output={private.pk}", f"/site/answers/{private.pk}"):
        assert save in page(url, alice)
    assert "Only you can read this output." in page(private.path, alice)


def test_what_stands_behind_it_needs_no_token(shown: Shown, private: Output) -> None:
    own, *behind = queries.answer(private).links
    assert [HEADER in check.command for check in own.checks] == [True, True]
    commands = [check.command for link in behind for check in link.checks]
    assert len(commands) > len(behind)
    assert not any(HEADER in command for command in commands)


def test_what_is_not_published_yet_has_no_commands(shown: Shown) -> None:
    owner = shown.machine.node.owner
    lease = pool.claim(shown.machine.node, now=timezone.now())
    assert lease is not None
    submitted = pool.Submitted.parse(submission(shown.lab, shown.machine, 2 * STEP))
    received = pool.submit(lease.id, submitted, by=owner, now=timezone.now())
    seen = page(received.path, owner)
    assert "config.json" in seen
    assert f"{received.path}/files/" not in seen
    assert "curl" not in seen
