# SPDX-License-Identifier: Apache-2.0
"""Takes requests for pictures, several at once: each is an output of its own."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from django.db import transaction

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.errors import InvalidDocument
from registry.accounts.queries import User
from registry.conduct import standing
from registry.pool.sampling import MAX_SEED

from .. import asking, kinds, queries
from ..models import Output

PICTURE_TYPE = "image/png"
MAX_AT_ONCE = 4  # half of what may wait at all
MAX_PIXELS = 512
DEFAULT_PIXELS = 512
MAX_PROMPT_CHARACTERS = 100  # a label, as trainers/config.py has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A request for one picture: the same asked twice gives one picture."""

    prompt: str
    size: int
    seed: int

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read the three fields; raises InvalidDocument, naming the one that is wrong."""
        canonical.only(obj, "prompt", "size", "seed")
        return cls(
            prompt=canonical.text(obj, "prompt", max_characters=MAX_PROMPT_CHARACTERS),
            size=canonical.integer(obj, "size", minimum=16, maximum=MAX_PIXELS),
            seed=canonical.integer(obj, "seed", maximum=MAX_SEED),
        )

    def to_json(self) -> dict[str, object]:
        """The document that `parse` reads."""
        return {"prompt": self.prompt, "size": self.size, "seed": self.seed}

    def numbered(self, number: int) -> Drawing:
        """The same with the seed that is as many further on."""
        return Drawing(
            prompt=self.prompt, size=self.size, seed=(self.seed + number) % (MAX_SEED + 1)
        )


def ask_by_name(
    name: str,
    drawing: Drawing,
    *,
    count: int,
    by: User,
    output_id: uuid.UUID,
    within: Collection[str] = (),
) -> list[Output]:
    """Queue as many, all or none; ids that were asked under before give what they gave then.

    `within` are the projects of whose checkpoints alone it may be asked, if any are named. Raises
    OtherProjects, QueueFull, GenerationQuotaExceeded, NotGeneratable, NotAccepted, or
    InvalidDocument for what the checkpoint does not draw.
    """
    ids = ids_of(output_id, count)
    before = {each.pk: each for each in Output.objects.filter(pk__in=ids)}
    if len(before) == count:
        return [before[each] for each in ids]
    checkpoint = queries.named(name, by, within=within)
    standing.require(by.namespace, checkpoint.conduct)
    queries.check_generatable(checkpoint)
    _check(drawing, kinds.check_draws(checkpoint))
    with transaction.atomic():
        asking.check_room(count)
        asking.check_quota(by, count)
        return [
            asking.queue(
                checkpoint,
                by,
                drawing.numbered(number).to_json(),
                media_type=PICTURE_TYPE,
                output_id=each,
            )
            for number, each in enumerate(ids)
        ]


def ids_of(output_id: uuid.UUID, count: int) -> list[uuid.UUID]:
    """One for each picture, the same again for the same request."""
    return [output_id, *(uuid.uuid5(output_id, str(number)) for number in range(1, count))]


def _check(drawing: Drawing, draws: kinds.Draws) -> None:
    if drawing.prompt not in draws.labels:
        known = ", ".join(sorted(draws.labels)[:40])
        raise InvalidDocument("prompt", f"one of {known}", ascii(drawing.prompt))
    if drawing.size % draws.side:
        expected = f"a multiple of {draws.side} pixels, which is what the checkpoint draws"
        raise InvalidDocument("size", expected, str(drawing.size))
