# SPDX-License-Identifier: Apache-2.0
"""The outputs of a person who left: nobody's, and without text, prompt, salt or reason."""

from __future__ import annotations

from datetime import datetime

from registry.accounts.queries import Namespace, User
from registry.events import services as events

from .batches import finding
from .models import Batch, Output, Picture, State

REASON = "erased"


def standing_on(owner: Namespace) -> frozenset[int]:
    """The owner's checkpoints (row ids) from which others have outputs, whose claims name them."""
    found: set[int] = set()
    for rows in (Output.objects.all(), Batch.objects.all()):
        theirs = rows.filter(checkpoint__project__owner=owner).exclude(caller=owner)
        found |= set(theirs.values_list("checkpoint", flat=True))
    return frozenset(found)


def erase(caller: Namespace, *, stub: Namespace, clear: Namespace, now: datetime) -> None:
    """Digest and statement stay: they name nobody. What was asked and answered does not.

    What a certificate in clear signed is given to `clear`, or it would say who the others are of.
    """
    theirs = Output.objects.filter(caller=caller)
    waiting = theirs.exclude(state__in=(State.SIGNED, State.FAILED))
    waiting.update(
        state=State.FAILED, failure=REASON, ended_at=now, lease_id=None, lease_expires_at=None
    )
    theirs.filter(sampling__isnull=False).update(sampling={}, salt=b"")
    theirs.update(text="", pieces=[], reason="")
    Picture.objects.filter(output__caller=caller).delete()
    theirs.filter(statement__subject=caller.uri).update(caller=clear, text="", reason="")
    theirs.update(caller=stub, text="", reason="")
    _erase_batches(caller, stub=stub, clear=clear, now=now)


def _erase_batches(caller: Namespace, *, stub: Namespace, clear: Namespace, now: datetime) -> None:
    """What was signed stays; which contents that were is kept no longer, nor what would tell."""
    theirs = Batch.objects.filter(caller=caller)
    for each in theirs.iterator(chunk_size=1):
        finding.erase(each)
    theirs.filter(state=State.GENERATED).update(state=State.FAILED, failure=REASON, ended_at=now)
    theirs.update(salt=b"", digests=b"", normalised="", media_types="", reason="")
    theirs.filter(statement__subject=caller.uri).update(caller=clear)
    theirs.update(caller=stub)


def forget_samples(caller: Namespace) -> None:
    """What followers were told of them, text included, is replayed to nobody any more."""
    ids = Output.objects.filter(caller=caller).values_list("pk", flat=True)
    events.forget_those("output", frozenset(map(str, ids)))


def forget_machines(holder: User) -> None:
    """Whose outputs it ever was: where this person's machine wrote it, nothing says which.

    With the machine's name goes what it said of itself when it failed.
    """
    Output.objects.filter(lease_holder=holder).update(lease_node="", reason="")
