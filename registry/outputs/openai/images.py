# SPDX-License-Identifier: Apache-2.0
"""`POST /v1/images/generations`: pictures of a checkpoint, each an output of its own, signed."""

from __future__ import annotations

import base64
import re
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from assay.signing import canonical
from assay.signing.canonical import Obj, as_mapping
from assay.signing.errors import InvalidDocument
from registry.accounts.permissions import HasScope
from registry.accounts.queries import Scope, caller, limits
from registry.idempotency.api import id_for, idempotent_in_steps
from registry.pool.sampling import MAX_SEED

from .. import queries, services
from ..pictures import asking
from ..pictures.asking import DEFAULT_PIXELS, MAX_AT_ONCE, Drawing
from ..queries import Output
from . import schema
from .errors import signed
from .parameters import MAX_NAME_CHARACTERS, WITHOUT_EFFECT, by_name, check_names, or_default
from .views import View

WAIT_SECONDS = 50.0  # less than the minute after which proxies give up; of all of them together
HONOURED = frozenset({"model", "prompt", "n", "size", "seed"})
# What asks for no more than is done anyway; any other value would make another picture, or answer.
NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "background": ("auto", "opaque"),
    "moderation": ("auto",),
    "output_compression": (100,),
    "output_format": ("png",),
    "partial_images": (0,),
    "quality": ("auto", "standard"),
    "response_format": ("b64_json",),
    "stream": (False,),
}
AUTO = "auto"
_SIZE = re.compile(r"([1-9][0-9]{1,3})x\1", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The pictures that a request asks for."""

    model: str
    count: int
    drawing: Drawing

    @classmethod
    def parse(cls, body: Obj) -> Self:
        """Read it whole; raises InvalidParameter."""
        with by_name():
            check_names(body, HONOURED | WITHOUT_EFFECT, NEUTRAL)
            stated = {
                "prompt": body.get("prompt"),
                "size": _pixels(or_default(body.get("size"), AUTO)),
                "seed": or_default(body.get("seed"), secrets.randbelow(MAX_SEED + 1)),
            }
            counted = {"n": or_default(body.get("n"), 1)}
            return cls(
                model=canonical.text(body, "model", max_characters=MAX_NAME_CHARACTERS),
                count=canonical.integer(counted, "n", minimum=1, maximum=MAX_AT_ONCE),
                drawing=Drawing.parse(stated),
            )


class ImagesView(View):
    """POST asks for pictures."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True

    @extend_schema(
        operation_id="openai_images_create",
        tags=["openai"],
        request=schema.IMAGES_REQUEST,
        responses={200: schema.IMAGES},
    )
    def post(self, request: Request) -> Response:
        """As OpenAI's `images.generate`, of a checkpoint that draws."""
        begun = self._ask(request)
        give_up_at = time.monotonic() + WAIT_SECONDS
        outputs = [
            signed(
                services.for_an_end(uuid.UUID(each), seconds=max(0, give_up_at - time.monotonic()))
            )
            for each in begun.data["outputs"]
        ]
        return Response(_answer(outputs))

    @idempotent_in_steps
    def _ask(self, request: Request) -> Response:
        asked = Asked.parse(as_mapping(request.data, "body"))
        with by_name():
            outputs = asking.ask_by_name(
                asked.model,
                asked.drawing,
                count=asked.count,
                by=caller(request),
                output_id=id_for(request),
                within=limits(request),
            )
        return Response({"outputs": [str(each.pk) for each in outputs]})


def _answer(outputs: list[Output]) -> dict[str, object]:
    """Each picture with the output and its evidence as `assay`."""
    first = outputs[0]
    size = (first.sampling or {}).get("size")
    return {
        "created": int(first.created_at.timestamp()),
        "background": "opaque",
        "output_format": "png",
        "quality": AUTO,
        "size": f"{size}x{size}",
        "data": [
            {
                "b64_json": base64.b64encode(each.picture.file).decode(),
                "assay": queries.answer(each),
            }
            for each in outputs
        ],
    }


def _pixels(size: object) -> int:
    """Of each side: pictures here are square."""
    if size == AUTO:
        return DEFAULT_PIXELS
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    if found is None:
        raise InvalidDocument("size", "a square such as 256x256, or auto", ascii(size)[:80])
    return int(found[1])
