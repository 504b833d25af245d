# SPDX-License-Identifier: Apache-2.0
"""Which tree head proves an entry best, and the note with what its witnesses have signed.

An entry is proven to be from before the moment at which enough witnesses had seen a head that
includes it. The earliest such head says most, and still does after a key was compromised: so that
one is shown, and the newest only as long as there is none.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Max, Min

from assay.signing import treehead
from assay.signing.errors import InvalidDocument
from assay.signing.tlog import Policy

from .models import Cosignature, TreeHead

logger = logging.getLogger(__name__)

MAX_LINES = treehead.MAX_SIGNATURE_LINES - 1  # the ledger's own line is one of a note's sixteen
CHUNK_HEADS = 500


def note(head: TreeHead) -> str:
    """The signed note, and below it what its witnesses have signed so far."""
    return notes([head])[head.size]


def notes(heads: Iterable[TreeHead]) -> dict[int, str]:
    """The same of several heads, by their sizes."""
    found = {head.pk: head for head in heads}
    lines: dict[int, str] = dict.fromkeys(found, "")
    rows = Cosignature.objects.filter(head__in=found).order_by("id")
    for key, signed in rows.values_list("head_id", "lines"):
        lines[key] += signed
    return {
        head.size: head.note + "".join(lines[key].splitlines(keepends=True)[:MAX_LINES])
        for key, head in found.items()
    }


def proving(indexes: Iterable[int], newest: TreeHead) -> list[TreeHead]:
    """For each entry the earliest head that includes it and that enough have seen; else `newest`.

    What is enough is said by the registry's own policy; without one there is nothing to wait for.
    """
    enough = policy()
    if enough is None:
        return [newest for _ in indexes]
    return [_earliest(index, enough) or newest for index in indexes]


def policy() -> Policy | None:
    """The policy of ASSAY_LEDGER_POLICY; None without one, or where it cannot be read.

    What was proven must be shown also while somebody edits that file (check assay.E006 finds it).
    """
    if not settings.LEDGER_POLICY:
        return None
    try:
        return Policy.parse(Path(settings.LEDGER_POLICY).read_bytes())
    except (OSError, InvalidDocument) as error:
        logger.warning("the policy of witnesses cannot be read: %s", error)
        return None


def witnesses_of(head: TreeHead) -> set[str]:
    """The keys of the witnesses that have cosigned a tree head."""
    return set(Cosignature.objects.filter(head=head).values_list("witness", flat=True))


def last_by(witness: str) -> int:
    """The size of the newest tree head that a witness has cosigned; 0 before the first."""
    last = Cosignature.objects.filter(witness=witness).aggregate(last=Max("head__size"))["last"]
    return int(last or 0)


def _earliest(index: int, enough: Policy) -> TreeHead | None:
    """Only heads with as many cosignatures as a quorum has at least are looked at.

    While a witness is away, thousands of heads may be without its word: they cost a count each.
    """
    heads = (
        Cosignature.objects.filter(head__size__gt=index)
        .values("head")
        .annotate(witnesses=ArrayAgg("witness"), size=Min("head__size"), number=Count("id"))
        .filter(number__gte=enough.fewest)
        .order_by("size")
    )
    for row in heads.iterator(chunk_size=CHUNK_HEADS):
        if enough.is_met_by(row["witnesses"]):
            return TreeHead.objects.get(pk=row["head"])
    return None
