# SPDX-License-Identifier: Apache-2.0
"""A receiver's library that we did not write checks our webhooks, and refuses changed ones."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from registry.notices import delivering, services, signatures
from registry.notices.models import Hook
from tests.needing import needs
from tests.registry.catalog.world import World
from tests.registry.notices.conftest import Receiver, hook, receiver, world

__all__ = ["hook", "receiver", "world"]  # the fixtures
pytestmark = [pytest.mark.django_db, needs("webhooks")]
PYTHON = Path(__file__).parents[2] / ".venv-webhooks" / "bin" / "python"
CHECK = """
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
given = json.load(sys.stdin)
try:
    print(json.dumps(Webhook(given["secret"]).verify(given["body"], given["headers"])))
except WebhookVerificationError as error:
    print(json.dumps(f"refused: {error}"))
"""


def check(secret: str, headers: dict[str, str], body: str) -> object:
    given = json.dumps({"secret": secret, "headers": headers, "body": body})
    program = [str(PYTHON), "-c", CHECK]
    done = subprocess.run(program, input=given, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_it_takes_what_we_sent_and_nothing_else(
    world: World, receiver: Receiver, hook: Hook
) -> None:
    services.ping(hook, by=world.people.alice)
    delivering.deliver()
    (got,) = receiver.received
    secret, body = signatures.secret(hook), got.body.decode()
    found = check(secret, got.headers, body)
    assert isinstance(found, dict)
    assert (found["type"], found["data"]) == ("ping", {"webhook": str(hook.pk)})
    assert str(check(secret, got.headers, body.replace("ping", "pong"))).startswith("refused")
    later = {**got.headers, "webhook-id": "msg_another"}
    assert str(check(secret, later, body)).startswith("refused")
    assert str(check(services.renew(hook, by=world.people.alice), got.headers, body)).startswith(
        "refused"
    )
