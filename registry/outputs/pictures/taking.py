# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures of the generation program, as generating.py takes its texts.

A picture is walked from its first byte to its last, and never drawn here: what reads it is in the
program that made it, or shut in (looking.py).
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import transaction

from assay.signing import canonical, picturemark, trustmark
from assay.signing.canonical import Obj
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.statements import Mark
from registry.accounts.queries import User
from registry.catalog.content.formats import Refused
from registry.catalog.content.formats.images import PNG_MAGIC, check_png

from .. import generating, marks, queries
from ..errors import UnusablePicture
from ..models import Output, Picture, State
from . import chunks
from .asking import PICTURE_TYPE
from .finding import bands

MAX_PICTURE_BYTES = 700 * 1024  # of 512 × 512 pixels; in base64 it is below asgi's megabyte
_FINGERPRINT = re.compile(r"[0-9a-f]{32}", re.ASCII)
_SIDES_AT = len(PNG_MAGIC) + 8  # after the first chunk's length and name (PNG, 11.2.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What the generation program made of a request for a picture."""

    file: bytes
    fingerprint: str
    mark: Mark | None

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read the body; raises InvalidDocument."""
        canonical.only(obj, "picture", "fingerprint", "mark")
        stated = canonical.nullable(obj, "mark", canonical.mapping)
        fingerprint = canonical.text(obj, "fingerprint")
        if _FINGERPRINT.fullmatch(fingerprint) is None:
            raise InvalidDocument("fingerprint", "32 hexadecimal digits", ascii(fingerprint[:40]))
        with canonical.within("mark"):
            mark = None if stated is None else Mark.parse(stated)
        file = canonical.base64_bytes(obj, "picture")
        return cls(file=file, fingerprint=fingerprint, mark=mark)


def complete(lease_id: uuid.UUID, delivered: Delivered, *, holder: User, now: datetime) -> Output:
    """Take the picture of a lease that is still held; the same again (a retry) changes nothing."""
    with transaction.atomic():
        output = generating.leased(lease_id, holder)
        if _is_taken(output, delivered):
            return output
        generating.check_held(output, now)
        _check(output, delivered)
        marks.check(delivered.mark, *_schemes())
        output.state = State.GENERATED
        output.mark = None if delivered.mark is None else delivered.mark.to_json()
        output.sha256 = sha256(delivered.file)  # until its manifest is embedded (crediting.py)
        output.save()
        Picture.objects.create(
            output=output,
            file=delivered.file,
            **_written(output, delivered.mark),
            fingerprint=delivered.fingerprint,
            bands=bands(delivered.fingerprint),
        )
        generating.record(output, holder)
    return output


def _is_taken(output: Output, delivered: Delivered) -> bool:
    """Whether this very picture was taken before, whatever was embedded in it since."""
    if output.state not in {State.GENERATED, State.SIGNED}:
        return False
    picture = Picture.objects.filter(output=output).first()
    return picture is not None and chunks.without_store(bytes(picture.file)) == delivered.file


def _check(output: Output, delivered: Delivered) -> None:
    if output.media_type != PICTURE_TYPE:
        raise UnusablePicture(f"expected {output.media_type}, which was asked for, found a picture")
    if len(delivered.file) > MAX_PICTURE_BYTES:
        found = len(delivered.file)
        raise UnusablePicture(f"expected at most {MAX_PICTURE_BYTES} bytes, found {found}")
    try:
        check_png(delivered.file)
    except Refused as refusal:
        raise UnusablePicture(f"expected a PNG picture, found one that is not: {refusal}") from None
    if chunks.store(delivered.file) is not None:
        raise UnusablePicture("expected a picture without a C2PA manifest, found one that has one")
    asked = int((output.sampling or {})["size"])
    width, height = _sides(delivered.file)
    if (width, height) != (asked, asked):
        raise UnusablePicture(f"expected {asked} × {asked} pixels, found {width} × {height}")


def _sides(png: bytes) -> tuple[int, int]:
    """Its header's first two numbers; that there is a header was checked."""
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (_SIDES_AT, _SIDES_AT + 4))
    return width, height


def _written(output: Output, mark: Mark | None) -> dict[str, int]:
    """What its watermarks say of it: the program that marks computes the same."""
    document = queries.request_document(output)
    key = None if mark is None else marks.key_of(mark)
    if mark is None or key is None or document is None:
        return {}
    number = picturemark.payload(key, document)
    if mark.scheme == picturemark.SCHEME:
        return {"number": number}
    return {"number": number, "trustmark": trustmark.payload(key, number)}


def _schemes() -> tuple[str, ...]:
    """Those whose marks are found here."""
    also = (trustmark.SCHEME,) if settings.TRUSTMARK else ()
    return picturemark.SCHEME, *also
