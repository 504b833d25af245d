# SPDX-License-Identifier: Apache-2.0
"""The tensors in files: hashed once for each file, when a checkpoint with it is first signed.

A header is read where the gate let it pass; what is here is true of the bytes, wherever they are.
Of some tensors that two files share them is proof that one was made from the other (`proves`).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from assay.signing import canonical, tensors
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import CHECKPOINT_V2, TensorsReference
from assay.signing.tensors import MAX_STATED, Span, TensorEntry, TensorList
from registry.storage import services as storage

from .errors import NotFound
from .found import Tensor, TensorDigests
from .models import Checkpoint

# A scale, a bias of a small layer, the frequencies of rotary embeddings: models that never met have
# them in common, by convention or by chance.
LEAST_PROOF_BYTES = 1024
# Zeros, ones, masks and counted positions are the same in every model of a shape, and shrink to
# less than this; trained numbers do not (measured with zlib's quickest: F32 0.93, BF16 0.80, I8
# 0.93, BF16 kept as F32 0.52; positions as I32 0.35, a triangular mask 0.02).
LEAST_SHRUNK = 0.4
WINDOWS, WINDOW_BYTES = 16, 4096  # looked at of each tensor, spread over it
AT_ONCE = 5000  # rows


def keep(of: Checkpoint) -> None:
    """Hash the tensors of those of its files that were not hashed yet. Hold no lock meanwhile.

    Raises InvalidDocument for a header that no statement could be about, and what storage raises.
    """
    known = set(_rows(of).values_list("sha256", flat=True))
    for file in {each.sha256: each for each in _files(of)}.values():
        if file.sha256 not in known:
            with storage.local(file.sha256) as path:
                _keep(file.sha256, tuple(_hashed(path)))


def reference(of: Checkpoint) -> TensorsReference | None:
    """What the checkpoint's statement says of its tensors; None for one without any."""
    if not _files(of):
        return None
    return TensorsReference.of(listed(of))


def stated(of: Checkpoint) -> TensorList | None:
    """The list that goes with the evidence: if the statement names one, and it is not too long."""
    if not names_any(of):
        return None
    counts = dict(_rows(of).values_list("sha256", "count"))
    if sum(counts[file.sha256] for file in _files(of)) > MAX_STATED:
        return None
    return listed(of)


def names_any(of: Checkpoint) -> bool:
    """Whether the checkpoint's statement names tensors: older ones do not."""
    return of.statement is not None and of.statement.predicate_type == CHECKPOINT_V2


def signed(of: Checkpoint) -> TensorList:
    """The list that the statement names; raises NotFound where it names none."""
    if not names_any(of):
        raise NotFound(
            "expected a checkpoint whose statement names its tensors, found one that names none"
        )
    return listed(of)


def listed(of: Checkpoint) -> TensorList:
    """The tensors of all its files, which were kept."""
    rows = dict(_rows(of).values_list("sha256", "listed"))
    return TensorList.of(
        TensorEntry(file=file.name, name=name, dtype=dtype, shape=tuple(shape), sha256=sha256)
        for file in _files(of)
        for name, dtype, shape, sha256 in json.loads(rows[file.sha256])
    )


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


def _files(of: Checkpoint) -> tuple[FileEntry, ...]:
    manifest = Manifest.parse(of.manifest)
    return tuple(file for file in manifest.files if tensors.is_listed(file.name))


def _rows(of: Checkpoint) -> QuerySet[TensorDigests]:
    return TensorDigests.objects.filter(sha256__in=[file.sha256 for file in _files(of)])


def _hashed(path: Path) -> Iterator[tuple[TensorEntry, bool]]:
    found = tensors.spans(path)
    for span, entry in zip(found, tensors.of_file(path, path.name), strict=True):
        yield entry, proves(path, span)


def _keep(sha256: str, found: Iterable[tuple[TensorEntry, bool]]) -> None:
    """Whoever came first has said the same."""
    rows = [[entry.name, entry.dtype, list(entry.shape), entry.sha256] for entry, _ in found]
    proofs = sorted({bytes.fromhex(entry.sha256) for entry, is_proof in found if is_proof})
    with transaction.atomic():
        of, is_new = TensorDigests.objects.get_or_create(
            sha256=sha256,
            defaults={
                "count": len(rows),
                "proofs": len(proofs),
                "listed": canonical.dumps(rows).decode(),
            },
        )
        if is_new:
            each = (Tensor(digests=of, sha256=digest) for digest in proofs)
            Tensor.objects.bulk_create(each, batch_size=AT_ONCE)
