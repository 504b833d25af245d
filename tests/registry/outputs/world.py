# SPDX-License-Identifier: Apache-2.0
"""A published checkpoint, and a generation program that needs no torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.utils import timezone

from assay.signing.statements import Mark
from registry.accounts import services as accounts
from registry.accounts.models import User
from registry.catalog import services as catalog
from registry.catalog.models import Checkpoint
from registry.outputs import services
from registry.outputs.models import Output
from registry.pool import services as pool
from tests.registry.pool.world import Lab, join, publish, seen, upload, weights

TEXT = "hello(self):\n    return 'café'  \n"
ASKED: dict[str, Any] = {
    "prompt": "def ",
    "max_new_bytes": 64,
    "temperature": "0.7",
    "seed": 7,
}


def published(lab: Lab, *, without: str = "") -> Checkpoint:
    """A checkpoint that Alice published herself, without a run."""
    files = {name: content for name, content in weights(1).items() if name != without}
    submission = catalog.Submission(
        user=lab.people.alice,
        project=lab.project,
        name="by-hand",
        step=None,
        manifest=upload(lab.people.alice, files),
    )
    return seen(catalog.advance(catalog.receive(submission).pk))


def trained(lab: Lab, *steps: int) -> Checkpoint:
    """The last of some checkpoints that Bob's machine published in the run, one after another."""
    machine = join(lab.people.bob)
    lease = pool.claim(machine.node, now=timezone.now())
    assert lease is not None
    made: list[Checkpoint] = []
    for step in steps:
        parent = made[-1].manifest_sha256 if made else None
        made.append(publish(lab, machine, lease, step, parent_sha256=parent))
    return made[-1]


def asked_of(checkpoint: Checkpoint, /, **other: object) -> dict[str, Any]:
    """The body of a request for a text."""
    return {"checkpoint": f"sha256:{checkpoint.manifest_sha256}", **ASKED, **other}


def asserted_of(checkpoint: Checkpoint, /) -> dict[str, Any]:
    """The body of a request for a signature on one's own content."""
    return {
        "checkpoint": f"sha256:{checkpoint.manifest_sha256}",
        "media_type": "text/plain",
        "digests": {"sha256": "1" * 64},
    }


def ask(lab: Lab, checkpoint: Checkpoint, **other: object) -> Output:
    """Bob asks for a text."""
    request = services.Request.parse(asked_of(checkpoint, **other))
    return services.ask(request, by=lab.people.bob)


def generate(operator: User, text: str = TEXT, mark: Mark | None = None) -> Output:
    """The generation program answers whatever is next, and the registry signs."""
    work = services.lease(holder=operator, node="generator", now=timezone.now())
    assert work is not None
    assert work.lease_id is not None
    now = timezone.now()
    output = services.complete(work.lease_id, text, holder=operator, now=now, mark=mark)
    services.advance(output.pk)
    return Output.objects.get(pk=output.pk)


def operator() -> User:
    """Whoever runs the registry."""
    return accounts.create_user("operator", is_staff=True)


@contextmanager
def generation_program(operator: User) -> Iterator[None]:
    """Answers every request in a thread, until the block ends."""
    stopped = threading.Event()

    def serve() -> None:
        try:
            while not stopped.is_set():
                work = services.for_work(holder=operator, node="generator", seconds=0.2)
                if work is not None and work.lease_id is not None:
                    now = timezone.now()
                    services.complete(work.lease_id, TEXT, holder=operator, now=now)
                    services.advance(work.pk)
        finally:
            connections.close_all()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
