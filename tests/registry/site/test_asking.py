# SPDX-License-Identifier: Apache-2.0
"""The prompt form without a script: what it asks, and what it says when it may not."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from registry.accounts.models import User
from registry.outputs import queries
from registry.outputs.models import State
from tests.elsewhere import elsewhere
from tests.registry.site.world import Shown, answer_next


def fields(committed: Shown, **other: str) -> dict[str, str]:
    return {
        "checkpoint": f"sha256:{committed.checkpoint.manifest_sha256}",
        "prompt": "def ",
        "max_new_bytes": "64",
        "temperature": "0.7",
        **other,
    }


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_question_is_answered_signed_and_shown(committed: Shown) -> None:
    alice = committed.lab.people.alice
    generator = elsewhere(lambda: answer_next(alice, "hello():\n    pass\n"), is_awaited=False)
    answer = signed_in(alice).post("/site/ask", fields(committed))
    generator.join()
    output = queries.outputs().get(caller=alice.namespace)
    assert output.state == State.SIGNED
    assert answer.headers["Location"] == f"/?output={output.pk}#asking"
    page = unescape(signed_in(alice).get(f"/?output={output.pk}").content.decode())
    assert "hello():\n    pass\n" in page


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"max_new_bytes": "many"}, "max_new_bytes: expected a whole number, found 'many'"),
        ({"max_new_bytes": "9" * 5000}, "max_new_bytes: expected a whole number, found '9999"),
        ({"max_new_bytes": "999999"}, "max_new_bytes: expected an integer from 1 to 1024"),
        ({"prompt": ""}, "prompt: expected a string of 1 to 4096 characters, found ''"),
        ({"temperature": "hot"}, "temperature: expected a decimal from 0"),
        ({"checkpoint": "sha256:00"}, "checkpoint: expected sha256: and 64"),
        ({"checkpoint": f"sha256:{'0' * 64}"}, "expected the id of a published checkpoint"),
    ],
)
def test_a_refusal_keeps_what_was_written(
    committed: Shown, other: dict[str, str], said: str
) -> None:
    answer = signed_in(committed.lab.people.alice).post("/site/ask", fields(committed, **other))
    assert answer.status_code == 422
    page = unescape(answer.content.decode())
    assert said in page
    assert f'value="{other.get("temperature", "0.7")}"' in page


def test_whoever_has_not_accepted_the_conduct_is_told_where(committed: Shown) -> None:
    answer = signed_in(committed.lab.people.charlie).post("/site/ask", fields(committed))
    assert "accept it at http://localhost:8000/conduct/" in unescape(answer.content.decode())


def test_whoever_is_not_signed_in_is_sent_to_sign_in(committed: Shown) -> None:
    answer = Client().post("/site/ask", fields(committed))
    assert answer.headers["Location"] == "/login?next=/site/ask"


def test_a_form_of_another_site_is_refused(committed: Shown) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(committed.lab.people.alice)
    assert client.post("/site/ask", fields(committed)).status_code == 403
