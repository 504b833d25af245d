# SPDX-License-Identifier: Apache-2.0
"""The tensors in a checkpoint's files: their list, as its statement names it and as it is served.

What is kept of a file is true of its bytes, wherever they are (services/hashing.py makes it). Of
some tensors that two files share them is proof that one was made from the other (`proves`).
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from django.db.models import QuerySet

from assay.signing import canonical, tensors
from assay.signing.evidence import Evidence
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import CHECKPOINT_V2, CheckpointClaim, ListReference, Statement
from assay.signing.tensors import MAX_STATED, Span, TensorEntry, TensorList

from ..errors import NotFound
from ..models import Checkpoint
from ..models.found import TensorDigests

# Where a line has the name of the file, which may have another in each checkpoint: no JSON text
# has this character in it.
FILE = "\x01"
MEMBER = ',"tensors":[]'  # of evidence: what a list takes besides
# A scale, a bias of a small layer, the frequencies of rotary embeddings: models that never met have
# them in common, by convention or by chance.
LEAST_PROOF_BYTES = 1024
# Zeros, ones, masks and counted positions are the same in every model of a shape, and shrink to
# less than this; trained numbers do not (measured with zlib's quickest: F32 0.93, BF16 0.80, I8
# 0.93, BF16 kept as F32 0.52; positions as I32 0.35, a triangular mask 0.02).
LEAST_SHRUNK = 0.4
WINDOWS, WINDOW_BYTES = 16, 4096  # looked at of each tensor, spread over it


def reference(of: Checkpoint) -> ListReference | None:
    """What the checkpoint's statement says of its tensors; None for one without any."""
    if not files(of):
        return None
    hasher = hashlib.sha256()
    for part in lines(of):
        hasher.update(part)
    return ListReference(count=_count(of), sha256=hasher.hexdigest())


def stated(of: Checkpoint, *, beside: Evidence) -> TensorList | None:
    """The list that goes with the evidence: if the statement names one, and readers take both.

    As an array it takes what it takes as lines: a comma for each line feed but the last.
    """
    if not names_any(of) or _count(of) > MAX_STATED:
        return None
    content = b"".join(lines(of))
    room_bytes = canonical.MAX_BYTES - len(beside.canonical()) - len(MEMBER)
    return parsed(content) if len(content) - 1 <= room_bytes else None


def names_any(of: Checkpoint) -> bool:
    """Whether the checkpoint's statement names tensors: older ones do not."""
    return of.statement is not None and of.statement.predicate_type == CHECKPOINT_V2


def signed(of: Checkpoint) -> ListReference:
    """What the statement says of them; raises NotFound where it names none."""
    claim = of.statement and CheckpointClaim.parse(Statement.parse(bytes(of.statement.payload)))
    if not claim or claim.tensors is None:
        raise NotFound(
            "expected a checkpoint whose statement names its tensors, found one that names none"
        )
    return claim.tensors


def lines(of: Checkpoint) -> Iterator[bytes]:
    """The bytes of the list of all its files, which were kept, a file at a time."""
    for file in sorted(files(of), key=lambda each: each.name):
        listed = TensorDigests.objects.values_list("listed", flat=True)
        kept = listed.get(sha256=file.sha256, is_whole=True)
        yield kept.replace(FILE, canonical.dumps(file.name).decode()).encode()


def parsed(content: bytes) -> TensorList:
    """The list that these are the bytes of."""
    return TensorList.parse(json.loads(line) for line in content.splitlines())


def line(entry: TensorEntry) -> str:
    """What is kept of it: its line in the list, wherever the file is and whatever it is called."""
    written = canonical.dumps({**entry.to_json(), "file": ""}).decode()
    return written.replace('"file":""', f'"file":{FILE}', 1) + "\n"


def proves(path: Path, span: Span) -> bool:
    """Whether another file with these very bytes would have been made from this, or this from it.

    Or both from a third: what is the same in all models of a kind, and the small, prove nothing.
    """
    size_bytes = span.end - span.start
    if size_bytes < LEAST_PROOF_BYTES:
        return False
    seen = b"".join(_windows(path, span))
    return len(zlib.compress(seen, zlib.Z_BEST_SPEED)) >= LEAST_SHRUNK * len(seen)


def _windows(path: Path, span: Span) -> Iterator[bytes]:
    size_bytes = span.end - span.start
    with path.open("rb") as file:
        if size_bytes <= WINDOWS * WINDOW_BYTES:
            file.seek(span.start)
            yield file.read(size_bytes)
            return
        for number in range(WINDOWS):
            file.seek(span.start + number * (size_bytes - WINDOW_BYTES) // (WINDOWS - 1))
            yield file.read(WINDOW_BYTES)


def files(of: Checkpoint) -> tuple[FileEntry, ...]:
    """Those of its files that have a list."""
    manifest = Manifest.parse(of.manifest)
    return tuple(file for file in manifest.files if tensors.is_listed(file.name))


def kept(of: Checkpoint) -> QuerySet[TensorDigests]:
    """What is whole of them; one row for a file that it has twice."""
    digests = [file.sha256 for file in files(of)]
    return TensorDigests.objects.filter(sha256__in=digests, is_whole=True)


def _count(of: Checkpoint) -> int:
    counts = dict(kept(of).values_list("sha256", "count"))
    return sum(counts[file.sha256] for file in files(of))
