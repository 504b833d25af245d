# SPDX-License-Identifier: Apache-2.0
"""Publishing over HTTP: from the first byte of the request until everybody sees the checkpoint.

The web server and the worker are the product's own, started as `./run up` starts them. A
checkpoint is seen only once a signed tree head includes its statements, its tiles are on the disk,
and its model signature is kept: so all of that is in the time. Files were uploaded before.
"""
# ruff: noqa: E402 - models can be imported only once Django is set up

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

import django

django.setup()

from django.conf import settings
from measuring import head, line, median, p99, processor_seconds

from assay.signing.manifest import Manifest
from registry.catalog.queries import Checkpoint, State
from registry.ledger import queries as ledger
from registry.supervisor import programs, waiting
from registry.supervisor.environment import Deployment, fill_in
from registry.supervisor.processes import Process
from tests.registry.catalog.world import FILES, World, build, upload
from tests.registry.people import invite, secret_of

AT_ONCE = (1, 8, 20, 100)  # publishers, each of whom waits for the one before
GOAL_P99_SECONDS = 2.0
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 300.0
ACCEPTED = 202


def main(count: int, rounds: int) -> None:
    """So many checkpoints by one publisher, and by several at once, in turns."""
    world = build(invite(), Path(settings.DATA_DIR) / "texts")
    secret = secret_of(world.people.alice, "publish")
    found: dict[int, list[float]] = {each: [] for each in AT_ONCE}
    acknowledged: dict[int, list[float]] = {each: [] for each in AT_ONCE}
    columns = ("ms of CPU", "median s", "99 of 100", "answered")
    with programs_of(fill_in(os.environ)) as port:
        head(f"published with inclusion (goal: {GOAL_P99_SECONDS} s for 99 of 100)", *columns)
        together(world, secret, port, count=20, at_once=2, name="warm")
        for number in range(rounds):
            for at_once in AT_ONCE:
                busy = processor_seconds() - time.process_time()
                took = together(
                    world, secret, port, count=count, at_once=at_once, name=f"{number}-{at_once}"
                )
                cost = (processor_seconds() - time.process_time() - busy) / count * 1e3
                answers, all_seen = zip(*took, strict=True)
                found[at_once] += all_seen
                acknowledged[at_once] += answers
                show(f"round {number + 1}, {at_once} at once", cost, all_seen, answers)
    for at_once in AT_ONCE:
        line(
            f"all {len(found[at_once])}, {at_once} at once",
            median(found[at_once]),
            p99(found[at_once]),
            p99(acknowledged[at_once]),
        )


def together(
    world: World, secret: str, port: int, *, count: int, at_once: int, name: str
) -> list[tuple[float, float]]:
    """Seconds until each was answered, and until each was seen to be published."""
    manifests = {f"{name}-{number}": manifest(world, f"{name}-{number}") for number in range(count)}
    began: dict[str, float] = {}
    answered: dict[str, float] = {}
    seen = {each: Event() for each in manifests}

    def publish(each: str) -> float:
        began[each] = time.perf_counter()
        post(port, secret, {"name": each, "manifest": manifests[each].to_json()})
        answered[each] = time.perf_counter()
        if not seen[each].wait(PATIENCE_SECONDS):
            sys.exit(f"{each} is not published")
        return time.perf_counter()

    with ThreadPoolExecutor(at_once) as publishers:
        ends = publishers.map(publish, manifests)
        watch(seen)
    pairs = zip(manifests, ends, strict=True)
    return [(answered[each] - began[each], end - began[each]) for each, end in pairs]


def watch(wanted: Mapping[str, Event]) -> None:
    """As any other reader of the database: tell of each name once it is published."""
    left = dict(wanted)
    published = Checkpoint.objects.filter(state=State.PUBLISHED)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left and time.monotonic() < deadline:
        for name in published.filter(name__in=left).values_list("name", flat=True):
            left.pop(name).set()
        time.sleep(LOOK_SECONDS)  # so is the product's reader told: by looking again
    for one in published.filter(name__in=wanted).select_related("statement", "oms_statement"):
        if not ledger.is_included(*filter(None, (one.statement, one.oms_statement))):
            sys.exit(f"{one.name} is published and not included")


def manifest(world: World, name: str) -> Manifest:
    """Its files, uploaded; one is like no other."""
    return upload({**FILES, "number.txt": name.encode()}, world.people.alice.actor)


def post(port: int, secret: str, body: Mapping[str, object]) -> None:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/projects/lab/small/checkpoints", json.dumps(body), headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != ACCEPTED:
        sys.exit(f"{answer.status}: {said.decode()}")


@contextmanager
def programs_of(deployment: Deployment) -> Iterator[int]:
    """The web server, the worker and its clock; the port."""
    with ExitStack() as stack:
        web = Process(programs.web(deployment))
        stack.callback(web.stop)
        for program in (programs.worker, programs.beat):
            stack.callback(Process(program(deployment)).stop)
        healthy = waiting.is_healthy(f"http://127.0.0.1:{deployment.port}")
        waiting.until_it_answers(web, healthy, expectation="its health")
        yield deployment.port


def show(text: str, cost: float, seen: tuple[float, ...], answers: tuple[float, ...]) -> None:
    """What one costs, and how long it takes."""
    line(text, cost, median(seen), p99(seen), p99(answers))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
