# SPDX-License-Identifier: Apache-2.0
"""Runs the program that looks at a stranger's picture, and shuts itself in to do it.

No picture is decoded in this process. What that program (assay.trainers.looking) says is taken as a
stranger's word: it is read to a limit and form by form. A few run at once, each for seconds; others
are asked to come again.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self, cast

from django.conf import settings

from assay.signing import canonical, picturemark, trustmark
from assay.signing.errors import InvalidDocument
from assay.signing.watermark import WatermarkKey

from ..errors import LookingUnavailable, UnusablePicture

PROGRAM = "assay.trainers.looking"
OFF = "off"
# One thread, or what is shut in would not be all there is.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
MAX_BYTES = 8 * 1024 * 1024
MAX_AT_ONCE = 2
SECONDS = 40
MAX_SAID_BYTES = 4096
RETRY_AFTER_SECONDS = 5
SCHEMES = picturemark.SCHEME, trustmark.ALGORITHM
_places = threading.BoundedSemaphore(MAX_AT_ONCE)
_FINGERPRINT = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the picture shows under the key that fits it best."""

    scheme: str
    """Which of the two it is: our own (picturemark.SCHEME), or trustmark.ALGORITHM."""
    key: str
    p_value: float
    scale: float | None
    """How large it is beside the one that was marked, if that can be told."""
    number: int | None
    """Whose picture it is, where that can be read."""

    @classmethod
    def parse(cls, obj: canonical.Obj) -> Self:
        """Read it; raises InvalidDocument."""
        return cls(
            scheme=_scheme(obj),
            key=canonical.text(obj, "key"),
            p_value=_share(obj, "p_value", 1.0),
            scale=None if obj.get("scale") is None else _share(obj, "scale", 100.0),
            number=canonical.nullable(obj, "number", canonical.integer),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What can be told of a picture without knowing where it is from."""

    fingerprint: str
    height: int
    width: int
    mark: Mark | None
    """None where there is no key to look for."""

    @classmethod
    def parse(cls, obj: canonical.Obj) -> Self:
        """Read it; raises InvalidDocument."""
        fingerprint = canonical.text(obj, "fingerprint")
        if _FINGERPRINT.fullmatch(fingerprint) is None:
            raise InvalidDocument("fingerprint", "32 hexadecimal digits", ascii(fingerprint[:40]))
        stated = canonical.nullable(obj, "mark", canonical.mapping)
        return cls(
            fingerprint=fingerprint,
            height=canonical.integer(obj, "height"),
            width=canonical.integer(obj, "width"),
            mark=None if stated is None else Mark.parse(stated),
        )


def look(data: bytes, keys: Sequence[WatermarkKey]) -> Seen:
    """Raises UnusablePicture, or LookingUnavailable."""
    if not 0 < len(data) <= MAX_BYTES:
        raise UnusablePicture(f"expected a picture of at most {MAX_BYTES} bytes, found {len(data)}")
    if settings.CONVERTER == OFF:
        raise LookingUnavailable(
            "expected a registry that looks at pictures, found one with ASSAY_CONVERTER=off"
        )
    if not _places.acquire(blocking=False):
        raise LookingUnavailable(
            f"expected fewer than {MAX_AT_ONCE} pictures to be looked at, found as many; ask again",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    try:
        return _judged(_said(data, keys))
    finally:
        _places.release()


def _said(data: bytes, keys: Sequence[WatermarkKey]) -> list[str]:
    """The lines of the program's answer."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        python = settings.CONVERTER or sys.executable
        networks = (str(Path(settings.TRUSTMARK).resolve()),) if settings.TRUSTMARK else ()
        with subprocess.Popen(
            (python, "-I", "-m", PROGRAM, str(file.fileno()), *networks),
            pass_fds=(file.fileno(),),
            cwd=Path("/"),
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as program:
            alarm = threading.Timer(SECONDS, program.kill)
            alarm.start()
            try:
                answer = _asked(program, keys)
            finally:
                alarm.cancel()
                program.kill()
    return answer.decode(errors="replace").splitlines()


def _asked(program: subprocess.Popen[bytes], keys: Sequence[WatermarkKey]) -> bytes:
    """Both ends are pipes."""
    asks, answers = cast("BinaryIO", program.stdin), cast("BinaryIO", program.stdout)
    with suppress(BrokenPipeError):  # it ended before: what it said says why
        asks.write("".join(f"{key.secret.hex()}\n" for key in keys).encode())
        asks.close()
    return answers.read(MAX_SAID_BYTES)


def _judged(lines: list[str]) -> Seen:
    begun, said = (_object(lines[at]) if len(lines) > at else {} for at in (0, 1))
    if "confined" not in begun:
        reason = str(begun.get("unconfined", "one that ended before it began"))[:200]
        raise LookingUnavailable(f"expected a program that is shut in, found {reason}")
    if "unusable" in said:
        raise UnusablePicture(canonical.text(said, "unusable", max_characters=500))
    try:
        return Seen.parse(said)
    except InvalidDocument:
        raise UnusablePicture(
            "expected a picture that is read within its limits of memory and time, found one that "
            "ended the program that read it"
        ) from None


def _object(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _scheme(obj: canonical.Obj) -> str:
    scheme = canonical.text(obj, "scheme")
    if scheme not in SCHEMES:
        raise InvalidDocument("scheme", " or ".join(SCHEMES), ascii(scheme)[:40])
    return scheme


def _share(obj: canonical.Obj, field: str, most: float) -> float:
    value = obj.get(field)
    if not isinstance(value, int | float) or not 0 <= value <= most:
        raise InvalidDocument(field, f"a number from 0 to {most:g}", ascii(value)[:40])
    return float(value)
