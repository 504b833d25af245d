# SPDX-License-Identifier: Apache-2.0
"""Asks a full catalogue over HTTP, as people and programs would, and says how long it took.

The web server is the product's own, started as `./run up` starts it; its database is PostgreSQL as
it is embedded, with 64 MB of buffers. Each request asks for something else.
"""
# ruff: noqa: E402 - models can be imported only once Django is set up

import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import django

django.setup()

import httpx
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from filling import FIRST, LICENCES, TASKS, fill, vocabulary
from measuring import head, line, median, p99, processor_seconds

from registry.catalog.models import Project
from registry.supervisor import programs, waiting
from registry.supervisor.environment import Deployment, fill_in
from registry.supervisor.processes import Process
from tests.registry.catalog.world import build, by_person, publish
from tests.registry.people import invite

GOAL_MS = 150
WARM = 20
Question = Callable[[random.Random], str]


def main(projects: int, files: int, requests: int) -> None:
    """One project, then so many; then the questions."""
    world = build(invite(), Path(settings.DATA_DIR) / "texts")
    publish(by_person(world))
    before = queries({**KINDS, "a project": lambda _: world.project.path})
    head(f"filling: {projects:,} projects, {projects * files:,} files", "seconds")
    fill(projects=projects, files=files)
    names = sample()
    kinds: Mapping[str, Question] = {**KINDS, "a project": lambda chance: chance.choice(names)}
    after = queries(kinds)
    with web(fill_in(os.environ)) as url:
        for at_once in (1, 2):
            title = f"{requests} of each, {at_once} at once (goal: p99 of {GOAL_MS} ms); ms"
            head(title, "median", "p99", "most", "ms of CPU", "queries", "of 1")
            for kind, question in kinds.items():
                busy = processor_seconds() - time.process_time()
                took = ask(url, question, requests, at_once=at_once)
                # Of the web server and the database: what others do on the machine is not in it.
                spent = processor_seconds() - time.process_time() - busy
                cost = spent / (len(took) + WARM * at_once) * 1e3
                line(kind, median(took), p99(took), max(took), cost, after[kind], before[kind])


def sample() -> list[str]:
    """Pages of projects here and there."""
    chance, last = random.Random(3), Project.objects.order_by("-pk")[0].pk  # noqa: S311
    keys = [chance.randint(FIRST + 1, last) for _ in range(500)]
    return [each.path for each in Project.objects.select_related("owner").filter(pk__in=keys)]


def ask(url: str, question: Question, requests: int, *, at_once: int) -> list[float]:
    """Milliseconds of each request, over connections that stay."""

    def one(number: int) -> list[float]:
        chance, took = random.Random(number), []  # noqa: S311 - the same questions each time
        with httpx.Client(base_url=url, timeout=60) as client:
            for each in range(WARM + requests // at_once):
                path = question(chance)
                started = time.perf_counter()
                answer = client.get(path)
                if each >= WARM:
                    took.append((time.perf_counter() - started) * 1e3)
                if answer.status_code != httpx.codes.OK:
                    sys.exit(f"{path}: {answer.status_code}")
        return took

    with ThreadPoolExecutor(at_once) as pool:
        return [each for took in pool.map(one, range(at_once)) for each in took]


def queries(kinds: Mapping[str, Question]) -> dict[str, int]:
    """How many queries an answer takes."""
    client, found = Client(SERVER_NAME="localhost"), {}
    for kind, question in kinds.items():
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(question(random.Random(4)))  # noqa: S311 - the same question
        if answer.status_code != httpx.codes.OK:
            sys.exit(f"{kind}: {answer.status_code}")
        found[kind] = len(seen)
    return found


@contextmanager
def web(deployment: Deployment) -> Iterator[str]:
    """The web server; its address."""
    url = f"http://127.0.0.1:{deployment.port}"
    process = Process(programs.web(deployment))
    try:
        waiting.until_it_answers(process, waiting.is_healthy(url), expectation="its health")
        yield url
    finally:
        process.stop()


WORDS = vocabulary()


def word(chance: random.Random) -> str:
    """As common as words are."""
    return WORDS[int(len(WORDS) ** chance.random()) - 1]


def facets(chance: random.Random) -> dict[str, str]:
    """Two of them, as common as they are."""
    task = f"task-{int((TASKS + 1) ** chance.random())}"
    return {"task": task, "licence": LICENCES[int((len(LICENCES) + 1) ** chance.random()) - 1]}


def listed(**asked: str) -> str:
    """The page."""
    return f"/projects?{urlencode(asked)}"


KINDS: Mapping[str, Question] = {
    "the list": lambda _: "/projects",
    "the list by downloads": lambda _: listed(sort="downloads"),
    "a facet": lambda chance: listed(task=facets(chance)["task"]),
    "two facets": lambda chance: listed(**facets(chance)),
    "a word": lambda chance: listed(q=word(chance)),
    "two words": lambda chance: listed(q=f"{word(chance)} {word(chance)}"),
    "a word with two facets": lambda chance: listed(q=word(chance), **facets(chance)),
    "the API, two facets": lambda chance: f"/api/v1/projects?{urlencode(facets(chance))}",
    "the Hub's list by date": lambda _: "/api/models?sort=lastModified",
    "the Hub's search": lambda chance: f"/api/models?search={word(chance)}&limit=20",
}

if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
