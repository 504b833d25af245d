# SPDX-License-Identifier: Apache-2.0
"""A client of Xet, as plain as can be: it asks for a token, and sends what it is given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.accounts.models import User
from registry.hub.raw import Raw
from registry.hub.xet import receiving, registering
from registry.hub.xet.granting import PREFIX
from tests.registry.callers import Heard, call
from tests.registry.hub.xet.made import Xorb, shard
from tests.registry.people import client_of
from tests.registry.storage.world import nothing_else

ROUTES = (*receiving.ROUTES, *registering.ROUTES)
GRANTED = "/api/models/lab/small/xet-{}-token/main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Somebody with a token of Xet's; empty is none."""

    token: str

    def ask(
        self, method: str, path: str, *pieces: bytes | None, headers: dict[str, str] | None = None
    ) -> Heard:
        """Any request to these routes."""
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        application = Raw(routes=ROUTES, inner=nothing_else)
        asked = call(
            application, method, path, headers={**own, **(headers or {})}, pieces=pieces or (b"",)
        )
        return asyncio.run(asked)

    def xorb(self, sent: Xorb, *pieces: bytes | None, name: str = "") -> Heard:
        """One xorb, in these pieces if there are any."""
        path = f"{PREFIX}/v1/xorbs/default/{name or sent.name}"
        return self.ask("POST", path, *(pieces or (sent.packed,)))

    def shard(self, *files: bytes) -> Heard:
        """One shard, by the version that has a status for everything."""
        return self.ask("POST", f"{PREFIX}/v1/shards", shard(*files))

    def streamed(self, *files: bytes) -> list[dict[str, Any]]:
        """The lines of the answer of the other."""
        heard = self.ask("POST", f"{PREFIX}/v2/shards", shard(*files))
        assert heard.status == 200
        return [json.loads(line) for line in heard.body.splitlines()]


def granted(person: User, kind: str = "write", scopes: Sequence[str] = ("publish",)) -> Sender:
    """With a token of their own for the lab's project."""
    answer = client_of(person, *scopes).get(GRANTED.format(kind))
    assert answer.status_code == 200, answer.content
    return Sender(token=answer.json()["accessToken"])


def told(refused: Heard) -> str:
    """What a refusal says, in its header; its body says the same."""
    document = json.loads(refused.body)
    assert document["status"] == refused.status
    assert refused.headers["x-error-message"] == document["error"] == document["detail"]
    return f"{refused.status} {document['code']}: {document['detail']}"
