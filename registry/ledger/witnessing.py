# SPDX-License-Identifier: Apache-2.0
"""Shows each new tree head to the witnesses, and keeps what they sign.

Nobody waits for this: a head is in force once it is signed, and witnessed when its witnesses have
answered. Whom to ask is said by a policy file (C2SP tlog-policy), those of its witnesses that have
an address.
"""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings

from assay.signing import cosignatures
from assay.signing.client import WitnessElsewhere, add_checkpoint
from assay.signing.cosignatures import Witness
from assay.signing.errors import AssayError
from assay.signing.tlog import Policy

from . import cosigned, publishing, queries, services
from .models import Cosignature, TreeHead

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0  # a witness that is slow is asked again by the next sweep


def collect() -> int:
    """Ask every witness that has not cosigned the newest head; how many did now."""
    head = queries.newest_head()
    if head is None or not settings.LEDGER_POLICY:
        return 0
    policy = Policy.parse(Path(settings.LEDGER_POLICY).read_bytes())
    done = cosigned.witnesses_of(head)
    waiting = [(w, url) for w, url in policy.witnesses.values() if url and w.text() not in done]
    collected = sum(_collect_from(witness, url, head) for witness, url in waiting)
    if collected:
        with services.sequencer():  # a newer head may be there by now: that one is shown
            publishing.publish(queries.tree_head())
    return collected


def _collect_from(witness: Witness, url: str, head: TreeHead) -> bool:
    try:
        lines = _ask(witness, url, head)
    except AssayError as error:
        logger.warning("the witness %s did not cosign %s: %s", witness.name, head, error)
        return False
    _, is_new = Cosignature.objects.get_or_create(
        head=head, witness=witness.text(), defaults={"lines": lines, "size": head.size}
    )
    return is_new


def _ask(witness: Witness, url: str, head: TreeHead) -> str:
    """The witness's own lines, verified; it says itself from which size it goes on, if we err."""
    old = cosigned.last_by(witness.text())
    try:
        said = _show(url, old, head)
    except WitnessElsewhere as elsewhere:
        if elsewhere.size > head.size:  # it has seen more than we know: never ours to explain away
            raise
        said = _show(url, elsewhere.size, head)
    return cosignatures.only(head.note, said, witness)


def _show(url: str, old: int, head: TreeHead) -> str:
    proof = queries.consistency(old, head.size)
    return add_checkpoint(
        url, old=old, proof=proof, note=head.note, timeout_seconds=PATIENCE_SECONDS
    )
