# SPDX-License-Identifier: Apache-2.0
"""On a running registry: as many as may wait for a text do, and nobody else waits for them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from registry.outputs import asking
from registry.outputs.models import Output, State
from tests.registry.outputs import world
from tests.registry.outputs.world import TEXT
from tests.registry.people import People, secret_of
from tests.registry.pool.world import found
from tests.running import Authority, Live
from tests.until import until

URL = "/api/v1/outputs"
PATIENCE_SECONDS = 120.0


def test_waiting_requests_hold_nobody_else_up(
    live: Live, authority: Authority, people: People
) -> None:
    lab = found(people)
    asked = world.asked_of(world.published(lab))
    token, operator = secret_of(people.bob, "outputs"), world.operator()
    program = secret_of(operator, "generation")

    def ask(_number: int) -> httpx.Response:
        with live.client(token) as client:
            answer = client.post(URL, json=asked)
            if answer.status_code == 202:  # it takes longer than a request waits
                until(lambda: client.get(answer.headers["Location"]).json()["state"] == "signed")
                answer = client.get(answer.headers["Location"])
            return answer

    with ThreadPoolExecutor(asking.MAX_WAITING) as threads, live.client(program) as generator:
        asking_now = [threads.submit(ask, number) for number in range(asking.MAX_WAITING)]
        until_waiting(asking.MAX_WAITING)
        with live.client(token) as client:
            assert client.get("/readyz").status_code == 200
            assert client.post(URL, json=asked).status_code == 429
        assert not any(one.done() for one in asking_now)  # nor was any of them waited for
        for _ in range(asking.MAX_WAITING):
            work = generator.post("/api/v1/generation/lease", json={"node": "test"}).json()
            path = f"/api/v1/generation/{work['id']}/complete"
            assert generator.post(path, json={"text": TEXT}).status_code == 204
        answers = [one.result() for one in asking_now]
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert {answer.json()["text"] for answer in answers} == {TEXT}
    assert Output.objects.filter(state=State.SIGNED).count() == asking.MAX_WAITING


def until_waiting(count: int) -> None:
    """All of them are in the queue."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while Output.objects.filter(state=State.QUEUED).count() < count:
        assert time.monotonic() < give_up_at
        time.sleep(0.05)  # another process: nothing wakes us
