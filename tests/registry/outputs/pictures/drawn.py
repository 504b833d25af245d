# SPDX-License-Identifier: Apache-2.0
"""A published checkpoint that draws, and pictures as the generation program would deliver them."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.utils import timezone

from assay.signing import picturemark
from assay.signing.statements import Mark
from assay.signing.watermark import WatermarkKey
from assay.trainers.pictures import files, marking
from assay.trainers.pictures.drawing import Marks
from assay.trainers.pictures.files import Pixels
from assay.trainers.pictures.fingerprint import fingerprint
from assay.trainers.pictures.trustmark import Writer
from registry.accounts.models import User
from registry.catalog import services as catalog
from registry.catalog.models import Checkpoint
from registry.outputs import queries, services
from registry.outputs.models import Output
from registry.outputs.pictures import asking, taking
from registry.outputs.pictures.asking import Drawing
from registry.outputs.pictures.taking import Delivered
from tests.registry.pool.world import Lab, seen, upload, weights
from tests.trainers.pictures.scenes import scene

CONFIG = {
    "architecture": "label-flow/v1",
    "side": 32,
    "channels": 1,
    "width": 8,
    "steps": 2,
    "labels": ["A", "B"],
}


ASKED = Drawing(prompt="A", size=512, seed=3)


def published(lab: Lab, **changes: object) -> Checkpoint:
    """A checkpoint of pictures that Alice published herself."""
    files_ = {**weights(1), "config.json": json.dumps({**CONFIG, **changes}).encode()}
    submission = catalog.Submission(
        user=lab.people.alice,
        project=lab.project,
        name="letters",
        step=None,
        manifest=upload(lab.people.alice, files_),
    )
    return seen(catalog.advance(catalog.receive(submission).pk))


def ask(lab: Lab, checkpoint: Checkpoint, *, count: int = 1, drawing: Drawing = ASKED) -> Output:
    """Bob asks for some; the first of them."""
    asked = asking.ask_by_name(
        checkpoint.full_name, drawing, count=count, by=lab.people.bob, output_id=uuid.uuid4()
    )
    return asked[0]


def delivered(
    of: Output, by: WatermarkKey | None = None, writer: Writer | None = None
) -> tuple[Pixels, Delivered]:
    """A picture of the size that was asked for, as its seed has it."""
    sampling = of.sampling or {}
    pixels = scene(int(sampling["seed"]), int(sampling["size"]))
    if by is not None:
        number = picturemark.payload(by, queries.request_document(of) or {})
        if writer is not None:
            pixels = writer.mark(pixels, by, number)
        pixels = marking.mark(pixels, by, number)
    return pixels, Delivered(
        file=files.write(pixels),
        fingerprint=fingerprint(files.grey(pixels)).hex(),
        mark=None if by is None else Mark(scheme=Marks(key=by, trustmark=writer).scheme, key=by.id),
    )


def answer(operator: User, by: WatermarkKey | None = None, writer: Writer | None = None) -> Output:
    """The generation program answers whatever is next, and the registry signs."""
    work = services.lease(holder=operator, node="generator", now=timezone.now())
    assert work is not None
    assert work.lease_id is not None
    _, what = delivered(work, by, writer)
    output = taking.complete(work.lease_id, what, holder=operator, now=timezone.now())
    services.advance(output.pk)
    return Output.objects.get(pk=output.pk)


@contextmanager
def drawing_program(operator: User, by: WatermarkKey | None = None) -> Iterator[None]:
    """Answers every request in a thread, until the block ends."""
    stopped = threading.Event()

    def serve() -> None:
        try:
            while not stopped.is_set():
                work = services.for_work(holder=operator, node="generator", seconds=0.2)
                if work is not None and work.lease_id is not None:
                    now = timezone.now()
                    _, what = delivered(work, by)
                    taking.complete(work.lease_id, what, holder=operator, now=now)
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
