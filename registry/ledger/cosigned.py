# SPDX-License-Identifier: Apache-2.0
"""Which tree head proves an entry best, and the note with what its witnesses have signed.

An entry is proven to be from before the moment at which enough witnesses had seen a head that
includes it. The earliest such head says most, and still does after a key was compromised: so that
one is shown, and the newest only as long as there is none.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import F, Max

from assay.signing import treehead
from assay.signing.cosignatures import Witness
from assay.signing.errors import InvalidDocument
from assay.signing.tlog import Policy
from registry.prepared import Among, Prepared

from .models import Cosignature, TreeHead

logger = logging.getLogger(__name__)

MAX_LINES = treehead.MAX_SIGNATURE_LINES - 1  # the ledger's own line is one of a note's sixteen
# Of witnesses that never meet: at so many steps of some 0.3 ms, each past every head that one of
# those who are needed did not see, an entry counts as seen by too few.
MAX_STEPS = 100
NEXT = """
    SELECT witness, (SELECT min(size) FROM ledger_cosignature AS seen
                     WHERE seen.witness = wanted.witness AND seen.size >= %s)
    FROM unnest(%s::text[]) AS wanted (witness)
"""

_LINES = Prepared(
    lambda heads: (
        Cosignature.objects.filter(Among(F("head"), heads))
        .order_by("id")
        .values_list("head_id", "lines")
    )
)


def note(head: TreeHead) -> str:
    """The signed note, and below it what its witnesses have signed so far."""
    return notes([head])[head.size]


def notes(heads: Iterable[TreeHead]) -> dict[int, str]:
    """The same of several heads, by their sizes."""
    found = {head.pk: head for head in heads}
    lines: dict[int, str] = dict.fromkeys(found, "")
    for key, signed in _LINES.all(heads=list(found)):
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
    found = policy_text()
    return None if found is None else Policy.parse(found.encode("latin-1"))


def policy_text() -> str | None:
    """The same as its file has it, a character for each byte."""
    if not settings.LEDGER_POLICY:
        return None
    try:
        data = Path(settings.LEDGER_POLICY).read_bytes()
        Policy.parse(data)
    except (OSError, InvalidDocument) as error:
        logger.warning("the policy of witnesses cannot be read: %s", error)
        return None
    return data.decode("latin-1")


def witnesses_of(head: TreeHead) -> set[str]:
    """The keys of the witnesses that have cosigned a tree head."""
    return set(Cosignature.objects.filter(head=head).values_list("witness", flat=True))


def witnesses_at(sizes: Collection[int]) -> tuple[Witness, ...]:
    """Those that have cosigned heads of these sizes, each once."""
    if not sizes:
        return ()
    keys = Cosignature.objects.filter(head__size__in=sizes).values_list("witness", flat=True)
    return tuple(Witness.parse(each) for each in keys.order_by("witness").distinct())


def last_by(witness: str) -> int:
    """The size of the newest tree head that a witness has cosigned; 0 before the first."""
    last = Cosignature.objects.filter(witness=witness).aggregate(last=Max("size"))["last"]
    return int(last or 0)


def _earliest(index: int, enough: Policy) -> TreeHead | None:
    """The smallest head that includes this entry and that the quorum has seen.

    Which head each witness saw next says how far to go at once: before enough of them have seen
    any head, none that all of those saw can come. So it takes a step or two, whatever lies between:
    heads without a word, or thousands while one witness was away.
    """
    keys = [witness.text() for witness, _ in enough.witnesses.values()]
    at: int | None = index + 1
    for _ in range(MAX_STEPS):
        if at is None:
            return None
        seen = _next(keys, at)
        at = _soonest(seen, enough)
        if at is not None and enough.is_met_by([key for key in seen if seen[key] == at]):
            return TreeHead.objects.get(size=at)
    logger.warning("no head was seen by enough witnesses within %s steps of %s", MAX_STEPS, index)
    return None


def _next(keys: list[str], size: int) -> Mapping[str, int]:
    """By the keys of witnesses, the smallest head from this size on that each has cosigned."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT, [size, keys])
        return {key: found for key, found in cursor.fetchall() if found is not None}


def _soonest(seen: Mapping[str, int], enough: Policy) -> int | None:
    """The first size by which a quorum has seen some head; None if too few saw any."""
    for size in sorted(set(seen.values())):
        if enough.is_met_by([key for key in seen if seen[key] <= size]):
            return size
    return None
