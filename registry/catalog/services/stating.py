# SPDX-License-Identifier: Apache-2.0
"""What the registry took down, stated in the ledger: signed by its authority, with the reason.

A takedown waits for no signer: its rows are the decision, and the statement follows. `state` makes
those that are missing, each in a transaction of its own, and one that cannot be made keeps none of
the others; it may be repeated, and the sweep does.
"""

from __future__ import annotations

from functools import partial

from django.db import transaction

from assay.signing.statements import Breach, TakedownClaim
from registry.accounts.queries import SYSTEM
from registry.audit import services as audit
from registry.authority import issuing, revocations
from registry.ledger.queries import Statement
from registry.wakeups import nudge

from ..errors import InvalidTakedown
from ..models import Checkpoint, State
from .waiting import or_wait

AT_ONCE = 500  # some seconds of a sweep: the signer's, for each


def state(most: int = AT_ONCE) -> int:
    """Sign and log what is not yet; how many that were. Raises SignerError if none can be."""
    missing = Checkpoint.objects.filter(state=State.TAKEN_DOWN, takedown=None)
    keys = list(missing.order_by("pk").values_list("pk", flat=True)[:most])
    if keys:
        issuing.ensure_office(revocations.OFFICE)
    stated = (or_wait(partial(_state, key), f"the takedown of checkpoint {key}") for key in keys)
    done = sum(1 for each in stated if each)
    if done:
        nudge("ledger.integrate")
    return done


def state_now(checkpoint: Checkpoint) -> None:
    """That of one, in the transaction that takes it down; raises SignerError."""
    _state(checkpoint.pk)


def stated(checkpoint: Checkpoint) -> Statement:
    """What was stated of one; raises InvalidTakedown where nothing was."""
    found = Checkpoint.objects.select_related("takedown").get(pk=checkpoint.pk).takedown
    if found is None:
        raise InvalidTakedown("expected a checkpoint that was taken down, found another state")
    return found


def _state(key: int) -> bool:
    """Whether this process did; another one may be at it."""
    with transaction.atomic():
        rows = Checkpoint.objects.select_for_update(skip_locked=True, of=("self",))
        rows = rows.select_related("project__owner", "statement")
        row = rows.filter(pk=key, state=State.TAKEN_DOWN, takedown=None).first()
        if row is None or row.statement is None or row.taken_down_at is None:
            return False
        claim = TakedownClaim(
            checkpoint_sha256=row.manifest_sha256,
            checkpoint_statement_sha256=row.statement.sha256,
            reason=row.reason,
            taken_down_at=row.taken_down_at.replace(microsecond=0),
            breach=None if row.breach is None else Breach.parse({"breach": row.breach}, "breach"),
        )
        made: Statement = revocations.log(claim)
        Checkpoint.objects.filter(pk=key).update(takedown=made)
        details = {"id": row.manifest_sha256, "statement": made.sha256}
        audit.record(SYSTEM, "checkpoint.state-takedown", row.full_name, details)
    return True
