# SPDX-License-Identifier: Apache-2.0
"""Several checkpoints on their way at once: each is signed by itself, one tree head includes all.

A tree head takes two durable writes of the signer's and some files; a checkpoint's own statements
hardly more. So whoever is nudged for one takes along those that wait. Two that do so at the same
moment leave each row to whoever claims it first (advance), and publish what both have signed.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection
from functools import partial

from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger
from registry.wakeups import nudge

from .. import queries
from . import advancing, hashing, receiving
from .waiting import EXPECTED, or_wait

logger = logging.getLogger(__name__)

TOGETHER = 16  # the first of them waits for the last to be signed, some 20 ms each


def advance_with_others(checkpoint_id: int) -> None:
    """Take a checkpoint as far as it goes now, and others that wait; nothing if it is through."""
    waiting = queries.underway()
    if checkpoint_id in waiting:
        _advance({checkpoint_id, *waiting[:TOGETHER]})


def sweep() -> int:
    """Advance whatever is underway, and integrate what is pending; how many were published."""
    waiting = queries.underway()
    for start in range(0, len(waiting), TOGETHER):
        _advance(waiting[start : start + TOGETHER])
    _integrate()  # what nobody waits for: acceptances, outputs that were left behind
    return queries.count_published(waiting)


def hash_waiting() -> None:
    """Hash the tensors of large files that something waits for; that goes on then, or ends."""
    for checkpoint_id, error in hashing.hash_in_turns():
        if error is None:
            nudge(receiving.ADVANCE, checkpoint_id)
        else:
            advancing.refuse(checkpoint_id, error)


def _advance(checkpoint_ids: Collection[int]) -> None:
    in_any_order = list(checkpoint_ids)
    secrets.SystemRandom().shuffle(in_any_order)  # or two workers would meet at each row
    sign = partial(advancing.sign, certified=set())
    for each in in_any_order:
        or_wait(partial(sign, each), _named(each))
    _integrate()
    for ready in _proven(in_any_order):
        or_wait(partial(advancing.publish, ready), _named(ready.checkpoint.pk))


def _proven(checkpoint_ids: Collection[int]) -> list[advancing.Proven]:
    """All in one; where one of them stands in the way, each by itself."""
    together = or_wait(
        partial(advancing.proven, checkpoint_ids), f"the proof of {len(checkpoint_ids)} checkpoints"
    )
    if together is not None:
        return together
    each_alone = (or_wait(partial(advancing.proven, [one]), _named(one)) for one in checkpoint_ids)
    return [ready for found in each_alone for ready in found or ()]


def _named(checkpoint_id: int) -> str:
    return f"checkpoint {checkpoint_id}"


def _integrate() -> None:
    try:
        if ledger_queries.has_pending():
            ledger.integrate()
    except EXPECTED as error:
        logger.warning("the ledger's pending entries wait: %s", error)
