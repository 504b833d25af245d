# SPDX-License-Identifier: Apache-2.0
"""What `assay verify` was given: which artifact, its evidence, and what there is to compare.

A folder is a checkpoint, its evidence in `FOLDER.assay.json` (or, without, the model signature in
it). A file is an output: evidence, an answer of the registry's API, or with `--evidence` any bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import canonical
from ..bundle import Bundle
from ..digests import CHUNK_BYTES, sha256_stream
from ..errors import InvalidDocument, MissingEvidence
from ..evidence import Evidence, Part
from ..manifest import SIGNATURE_NAME, Manifest
from ..verify import Content
from .errors import InputUnreadable

EVIDENCE_SUFFIX = ".assay.json"
MAX_TEXT_BYTES = 64 << 20  # larger content is not normalised: it is no text that was pasted

Hasher = Callable[[Path], Manifest]
"""Hashes the files of a folder; may take long, and may say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputGiven:
    """An output, its content if there is any, and a checkpoint's files if they were named."""

    evidence: Evidence
    content: Content | None
    files: Manifest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointGiven:
    """A checkpoint's files, and the evidence about them."""

    evidence: Evidence
    files: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelGiven:
    """Files, and nothing but the model signature beside them."""

    bundle: Bundle
    files: Manifest


Given = OutputGiven | CheckpointGiven | ModelGiven


def read(path: Path, *, evidence: Path | None, checkpoint: Path | None, hasher: Hasher) -> Given:
    """Read what the command line names; raises InputUnreadable and the library's errors."""
    try:
        if path.is_dir():
            return _read_folder(path, evidence=evidence, hasher=hasher)
        if evidence is None:
            return _read_document(path, checkpoint=checkpoint, hasher=hasher)
        return OutputGiven(
            evidence=_evidence(evidence),
            content=_content(path),
            files=None if checkpoint is None else hasher(checkpoint),
        )
    except OSError as error:
        name = error.filename or path
        raise InputUnreadable(f"{name}: {error.strerror or error}") from error


def _read_folder(folder: Path, *, evidence: Path | None, hasher: Hasher) -> Given:
    beside = _beside(folder)
    signature = folder / SIGNATURE_NAME
    if evidence is not None or beside.exists():
        parsed = _evidence(evidence or beside)
        return CheckpointGiven(evidence=parsed, files=hasher(folder))
    if not signature.exists():
        raise MissingEvidence(
            f"expected evidence in {beside.name} beside the folder, or {SIGNATURE_NAME} in it, "
            "found neither; a file elsewhere is named with --evidence FILE"
        )
    with canonical.within(SIGNATURE_NAME):
        bundle = Bundle.parse(canonical.loads(_bytes(signature)))
    return ModelGiven(bundle=bundle, files=hasher(folder))


def _beside(folder: Path) -> Path:
    named = folder if folder.name not in {"", ".."} else folder.resolve()
    return named.parent / (named.name + EVIDENCE_SUFFIX)


def _read_document(path: Path, *, checkpoint: Path | None, hasher: Hasher) -> Given:
    """A JSON file that brings its own evidence: evidence alone, or an answer of the API."""
    document = canonical.as_mapping(canonical.loads(_bytes(path)), "document")
    answer = document if "evidence" in document else None
    with canonical.within("evidence"):
        stated = document if answer is None else canonical.mapping(document, "evidence")
        evidence = Evidence.parse(stated)
    files = None if checkpoint is None else hasher(checkpoint)
    if Part.OUTPUT in evidence.bundles:
        content = None if answer is None else _answered_text(answer)
        return OutputGiven(evidence=evidence, content=content, files=files)
    if files is None:
        raise MissingEvidence(
            f"{path} is the evidence of a checkpoint: name its files too, "
            f"with assay verify FOLDER --evidence {path}"
        )
    return CheckpointGiven(evidence=evidence, files=files)


def _answered_text(answer: Mapping[str, object]) -> Content | None:
    """The text in an answer of `POST /api/v1/outputs`; a caller-asserted one holds none."""
    text = answer.get("text")
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidDocument("text", "a string", type(text).__name__)
    return Content.of(text.encode("utf-8"))


def _evidence(path: Path) -> Evidence:
    """Evidence on its own, or within an answer of the API."""
    document = canonical.as_mapping(canonical.loads(_bytes(path)), "document")
    with canonical.within(path.name):
        if "evidence" in document:
            return Evidence.parse(canonical.mapping(document, "evidence"))
        return Evidence.parse(document)


def _content(path: Path) -> Content:
    """The digests of a file, normalised too if it is small enough to be a text."""
    with path.open("rb") as file:
        head = file.read(MAX_TEXT_BYTES + 1)
        if len(head) <= MAX_TEXT_BYTES:
            return Content.of(head)
        file.seek(0)
        digest, _ = sha256_stream(iter(lambda: file.read(CHUNK_BYTES), b""))
    return Content(sha256=digest, normalised_sha256=None)


def _bytes(path: Path) -> bytes:
    """A document's bytes, and one more than it may have if it has more."""
    with path.open("rb") as file:
        return file.read(canonical.MAX_BYTES + 1)
