# SPDX-License-Identifier: Apache-2.0
"""The generation program: leases requests, and answers each with the checkpoint that it names.

With a watermark key it marks texts that are long enough and pictures that are large enough, and
says so with each (docs/spec/http.md).
A request that cannot be answered is reported as failed; nothing in it can stop the program.
"""

from __future__ import annotations

import base64
import logging
import os
import shutil
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from assay.signing.canonical import as_mapping, items, text
from assay.signing.client import ClientError, RegistryClient
from assay.signing.digests import as_id, parse_id
from assay.signing.errors import AssayError
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import Mark
from assay.signing.watermark import SCHEME

from . import sampling, saving
from .blobs import BlobCache, manifest_named
from .config import Drawing, Sampling
from .errors import TrainerError, UnusableCheckpoint
from .models.byte_gpt import ByteGPT
from .models.label_flow import LabelFlow
from .patience import Patience
from .pictures import drawing
from .pictures import files as picture_files
from .pictures.drawing import Marks
from .pictures.fingerprint import fingerprint

MODELS_KEPT = 2  # in memory
CHECKPOINTS_KEPT = 16  # on disk
MAX_REASON_CHARACTERS = 500
PAUSE_SECONDS = 0.2
AFTER_FAILURE_SECONDS = 2.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request for a text or a picture from one checkpoint."""

    id: str
    checkpoint: str
    files: Manifest
    request: Sampling | Drawing

    @classmethod
    def parse(cls, value: object) -> Job:
        """Read a leased request; its files must be the checkpoint that it names."""
        obj = as_mapping(value, "job")
        checkpoint = parse_id(text(obj, "checkpoint"), "checkpoint")
        return cls(
            id=text(obj, "id"),
            checkpoint=checkpoint,
            files=manifest_named(checkpoint, items(obj, "files"), "checkpoint"),
            request=Drawing.parse(obj) if "size" in obj else Sampling.parse(obj),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What answering needs: whom to answer, the models, and what marks, if anything does."""

    client: RegistryClient
    models: Models
    patience: Patience
    marks: Marks | None = None

    def write(self, job: Job) -> dict[str, object]:
        """What is asked for, and the mark that it has."""
        model = self.models.get(job.files)
        match job.request:
            case Sampling() as request:
                if not isinstance(model, ByteGPT):
                    raise UnusableCheckpoint("expected a model of texts, found one of pictures")
                return self._text(model, request)
            case Drawing() as request:
                if not isinstance(model, LabelFlow):
                    raise UnusableCheckpoint("expected a model of pictures, found one of texts")
                return self._picture(model, request, as_id(job.checkpoint))

    def _text(self, model: ByteGPT, request: Sampling) -> dict[str, object]:
        key = self.marks.key if self.marks and sampling.is_marked(request) else None
        mark = None if key is None else Mark(scheme=SCHEME, key=key.id).to_json()
        return {"text": sampling.generate(model, request, key), "mark": mark}

    def _picture(self, model: LabelFlow, request: Drawing, checkpoint: str) -> dict[str, object]:
        marks = self.marks if drawing.is_marked(request) else None
        pixels = drawing.draw(model, request, marks, checkpoint)
        mark = None if marks is None else Mark(scheme=marks.scheme, key=marks.key.id).to_json()
        return {
            "picture": base64.b64encode(picture_files.write(pixels)).decode(),
            "fingerprint": fingerprint(picture_files.grey(pixels)).hex(),
            "mark": mark,
        }


class Models:
    """The models used last, ready to write."""

    def __init__(self, directory: Path, cache: BlobCache) -> None:
        self._directory = directory
        self._cache = cache
        self._kept: OrderedDict[str, ByteGPT | LabelFlow] = OrderedDict()

    def get(self, files: Manifest) -> ByteGPT | LabelFlow:
        """The model of a checkpoint, fetched by digest unless it is at hand."""
        model = self._kept.pop(files.id, None) or self._load(files)
        self._kept[files.id] = model
        while len(self._kept) > MODELS_KEPT:
            self._kept.popitem(last=False)
        return model

    def _load(self, files: Manifest) -> ByteGPT | LabelFlow:
        needed = Manifest.of(_needed(files, name) for name in saving.INFERENCE_FILES)
        folder = self._cache.lay_out(needed, self._directory / files.id)
        os.utime(folder)
        self._forget_the_oldest()
        if drawing.is_of_pictures(folder):
            return drawing.load_model(folder)
        return saving.load_model(folder)

    def _forget_the_oldest(self) -> None:
        folders = sorted(self._directory.iterdir(), key=lambda folder: folder.stat().st_mtime)
        for folder in folders[:-CHECKPOINTS_KEPT]:
            shutil.rmtree(folder)
        self._cache.drop_unnamed()


def serve(desk: Desk, *, name: str) -> None:
    """Answer requests until stopped."""
    stopped = desk.patience.stopped
    while not stopped.is_set():
        pause_seconds = 0.0
        try:
            job = desk.patience.until_answered(
                lambda: desk.client.post_json("/api/v1/generation/lease", {"node": name})
            )
            if job is None:
                pause_seconds = PAUSE_SECONDS
            else:
                answer(desk, job)
        except AssayError as error:
            _logger.warning("%s", error)
            pause_seconds = AFTER_FAILURE_SECONDS
        stopped.wait(pause_seconds)


def answer(desk: Desk, leased: object) -> None:
    """Write one text or picture and deliver it, or say why there is none."""
    began = time.monotonic()
    identifier = text(as_mapping(leased, "job"), "id")
    try:
        written = desk.write(Job.parse(leased))
    # RuntimeError: what torch raises, out of memory for example.
    except (TrainerError, AssayError, OSError, RuntimeError) as error:
        _logger.warning("job %s: %s", identifier, error)
        reason = (str(error) or type(error).__name__)[:MAX_REASON_CHARACTERS]
        _deliver(desk, f"{identifier}/fail", {"reason": reason})
        return
    _deliver(desk, f"{identifier}/complete", written)
    _logger.info("job %s: answered in %.1f s", identifier, time.monotonic() - began)


def _deliver(desk: Desk, path: str, body: dict[str, object]) -> None:
    try:
        desk.patience.until_answered(
            lambda: desk.client.post_json(f"/api/v1/generation/{path}", body)
        )
    except ClientError as error:
        _logger.warning("%s: %s", path, error)  # it goes to whoever leases it next


def _needed(files: Manifest, name: str) -> FileEntry:
    for entry in files.files:
        if entry.name == name:
            return entry
    raise UnusableCheckpoint(f"expected a file {name}, found none")
