# SPDX-License-Identifier: Apache-2.0
"""Hashes the tensors of files that are to be published: once for each file, in steps that are kept.

is_ready(checkpoint)   whether all of its are; small ones are hashed right there
hash_in_turns()        what workers of their own do with all others, owner by owner

One process hashes a file: it has a lock of its session, which ends with it, however that ends. Each
step is a transaction, and whoever comes next goes on behind it. So a file takes as long as it
takes, a crash costs one step, and nobody waits for a large file but who publishes it.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import accumulate, takewhile
from pathlib import Path

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from assay.signing import tensors as signing
from assay.signing.errors import InvalidDocument
from assay.signing.manifest import FileEntry
from assay.signing.tensors import Span
from registry.api.problems import Problem
from registry.locks import alone
from registry.storage import services as storage

from ..content import tensors
from ..models import Checkpoint, File, State
from ..models.found import Tensor, TensorDigests

logger = logging.getLogger(__name__)

HASHING_LOCK = 0x61737374  # with the file's digest behind it, in the space of storage.locks
INLINE_BYTES = 256 << 20  # a second or two: as long as a signature may be waited for
STEP_BYTES = 4 << 30  # 40 s at 100 MB/s; what a crash may cost
TURN_SECONDS = 60.0  # of one file, and then it is the turn of another owner's
RUN_SECONDS = 240.0  # and then others of the worker's tasks
MOST_LOOKED_AT = 10_000
AT_ONCE = 5000  # rows


class _Turn(Enum):
    """How one ends: all of the file is hashed, its time is over, or another has the file."""

    WHOLE = auto()
    OVER = auto()
    TAKEN = auto()


def is_ready(of: Checkpoint) -> bool:
    """Whether its tensors are hashed, by now: few bytes are hashed here, unless another is at it.

    Raises InvalidDocument for a header that no statement could be about, and what storage raises.
    Hold no lock meanwhile.
    """
    left = _left(of)
    if sum(file.size for file in left) <= INLINE_BYTES:
        left = [file for file in left if _hash(file.sha256, seconds=math.inf) != _Turn.WHOLE]
    return not left


def awaited_bytes(checkpoint_id: int) -> int:
    """In how many bytes tensors are to be hashed yet; none where whoever signs it does that."""
    received = Checkpoint.objects.filter(pk=checkpoint_id, state=State.RECEIVED).first()
    left_bytes = sum(file.size for file in _left(received)) if received else 0
    return left_bytes if left_bytes > INLINE_BYTES else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A file that a received checkpoint waits for."""

    owner_id: int
    checkpoint_id: int
    sha256: str


def hash_in_turns() -> Iterator[tuple[int, InvalidDocument | None]]:
    """Hash what waits, for some minutes; yields each checkpoint that may go on, or never can.

    Two that do so at once are at different files. What cannot be read now is left to the next time.
    """
    give_up_at = time.monotonic() + RUN_SECONDS
    passed: set[str] = set()
    while time.monotonic() < give_up_at and (turn := _drawn(passed)) is not None:
        try:
            match _hash(turn.sha256, seconds=TURN_SECONDS):
                case _Turn.WHOLE:
                    yield turn.checkpoint_id, None
                case _Turn.TAKEN:
                    passed.add(turn.sha256)
                case _Turn.OVER:
                    pass
        except InvalidDocument as error:
            yield turn.checkpoint_id, error
        except (Problem, OSError) as error:
            logger.warning("the tensors of sha256:%s wait: %s", turn.sha256, error)
            passed.add(turn.sha256)


def _left(of: Checkpoint) -> list[FileEntry]:
    known = frozenset(tensors.kept(of).values_list("sha256", flat=True))
    each = {file.sha256: file for file in tensors.files(of)}
    return [file for sha256, file in each.items() if sha256 not in known]


def _drawn(passed: Collection[str]) -> Waiting | None:
    """By lot among owners, so that nobody's terabyte is in everybody's way; of each the oldest."""
    whole = TensorDigests.objects.filter(is_whole=True)
    rows = File.objects.filter(
        checkpoint__state=State.RECEIVED, name__iendswith=signing.ENDING
    ).exclude(sha256__in=whole.values("sha256"))
    fields = ("checkpoint__project__owner", "checkpoint", "sha256", "name")
    first: dict[int, Waiting] = {}
    for owner_id, checkpoint_id, sha256, name in (
        rows.exclude(sha256__in=passed)
        .order_by("checkpoint", "pk")
        .values_list(*fields)[:MOST_LOOKED_AT]
    ):
        if signing.is_listed(name):  # the database folds more letters
            waiting = Waiting(owner_id=owner_id, checkpoint_id=checkpoint_id, sha256=sha256)
            first.setdefault(owner_id, waiting)
    return secrets.choice(list(first.values())) if first else None


def _hash(sha256: str, *, seconds: float) -> _Turn:
    """Some steps of the file, at least one, if nobody else is at it."""
    give_up_at = time.monotonic() + seconds
    with alone(HASHING_LOCK, int.from_bytes(bytes.fromhex(sha256[:8]), signed=True)) as is_alone:
        if not is_alone:
            return _Turn.TAKEN
        row, _ = TensorDigests.objects.defer("listed").get_or_create(sha256=sha256)
        if not row.is_whole:
            with storage.local(sha256) as path:
                found = signing.spans(path)
                while _step(row, path, found) and time.monotonic() < give_up_at:
                    pass
    return _Turn.WHOLE if row.is_whole else _Turn.OVER


def _step(row: TensorDigests, path: Path, found: Sequence[Span]) -> bool:
    """Hash the first that are not, and keep them; whether there are more."""
    spans = _first(found[row.count :])
    entries = tuple(signing.hashed(path, path.name, spans))
    proofs = {
        bytes.fromhex(entry.sha256)
        for span, entry in zip(spans, entries, strict=True)
        if tensors.proves(path, span)
    }
    is_whole = row.count + len(spans) == len(found)
    with transaction.atomic():
        others = Tensor.objects.filter(digests=row).values_list("sha256", flat=True)
        new = sorted(proofs - {bytes(each) for each in others})
        before = TensorDigests.objects.filter(pk=row.pk, count=row.count, is_whole=False)
        is_kept = before.update(
            count=F("count") + len(spans),
            proofs=F("proofs") + len(new),
            listed=Concat(F("listed"), Value("".join(map(tensors.line, entries)))),
            is_whole=is_whole,
        )
        if not is_kept:  # an erasure took it away, or the lock went with its session
            return False
        each = (Tensor(digests=row, sha256=digest) for digest in new)
        Tensor.objects.bulk_create(each, batch_size=AT_ONCE)
    # COMMIT POINT of a step: whoever comes next goes on behind it.
    row.count, row.is_whole = row.count + len(spans), is_whole
    return not is_whole


def _first(left: Sequence[Span]) -> Sequence[Span]:
    """As many as a step has, and at least one: a digest of half a tensor cannot be kept."""
    ends = accumulate(span.end - span.start for span in left)
    return left[: max(1, sum(1 for _ in takewhile(lambda end: end <= STEP_BYTES, ends)))]
