# SPDX-License-Identifier: Apache-2.0
"""An answer as server-sent events: the text in pieces once it is signed, then what proves it.

The generation program hands a text over whole, and nothing is shown before it is signed: these
pieces are not words as they are found. Until then comments say that the line is alive. Whoever
hangs up leaves nothing half done: the text is written and signed all the same, and kept for them.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Generator, Iterator

from registry.api.problems import REFUSALS, document_of

from .. import queries, services
from ..queries import Output
from .documents import Answer
from .errors import refusal, signed
from .parameters import Delivery, Form

CONTENT_TYPE = "text/event-stream; charset=utf-8"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # nginx would keep them back
WAIT_SECONDS = 180.0  # as long as all attempts of the generation program may take
HEARTBEAT_SECONDS = 5.0
STILL_HERE = b": waiting\n\n"
DONE = b"data: [DONE]\n\n"


def events(output_id: uuid.UUID, form: Form, delivery: Delivery) -> Iterator[bytes]:
    """The events; instead of `[DONE]` one that says why, if there is no text in the end."""
    try:
        yield from _events(output_id, form, delivery)
    except REFUSALS as error:
        document = document_of(error)
        if document is None:
            raise
        yield _event(refusal(document))


def _events(output_id: uuid.UUID, form: Form, delivery: Delivery) -> Iterator[bytes]:
    asked = queries.outputs().get(pk=output_id)
    services.give_back()
    yield _event(Answer(of=asked, form=form).begun())
    output = yield from _ended(output_id)
    answer = Answer(of=signed(output), form=form)
    ended = _event(answer.ended())
    services.give_back()
    yield from map(_event, answer.pieces())
    yield ended
    if delivery.includes_usage:
        yield _event(answer.counted())
    yield DONE


def _ended(output_id: uuid.UUID) -> Generator[bytes, None, Output]:
    """Waits, and says so; the output as it is at the end."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        output = services.for_an_end(output_id, seconds=HEARTBEAT_SECONDS)
        services.give_back()
        if output.has_ended or time.monotonic() >= give_up_at:
            return output
        yield STILL_HERE


def _event(said: dict[str, object]) -> bytes:
    """JSON has no line breaks outside strings and none inside, so one `data:` line holds it."""
    return f"data: {json.dumps(said, separators=(',', ':'))}\n\n".encode()
