# SPDX-License-Identifier: Apache-2.0
"""Runs the program that converts, which shuts itself in (assay.trainers.converting).

torch is in that process alone. What it says once it is shut in is a stranger's word: it is read to
a limit, and what it wrote goes through the content gate like any file. Where it cannot be shut in,
nothing is read; and what ends it before that is no fault of the file's.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

from registry.catalog.content.formats import Refused

from .errors import ConverterFailed, ImportsUnavailable
from .models import MAX_REASON

PROGRAM = "assay.trainers.converting"
OFF = "off"
# One thread, or what is shut in would not be all there is.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LEAST_SECONDS = 120  # torch itself takes five to load
BYTES_A_SECOND = 5 << 20
MAX_ANSWER_BYTES = 64 << 10


def check_available() -> None:
    """Raises ImportsUnavailable where the operator has switched it off."""
    if settings.CONVERTER == OFF:
        raise ImportsUnavailable("expected a registry that converts, found ASSAY_CONVERTER=off")


def convert(source: BinaryIO, target: BinaryIO, sha256: str, *, size_bytes: int) -> None:
    """Write as safetensors what is in the source; raises Refused.

    And ImportsUnavailable where it cannot be shut in, ConverterFailed where that may pass.
    """
    python = settings.CONVERTER or sys.executable
    descriptors = (source.fileno(), target.fileno())
    with subprocess.Popen(
        (python, "-I", "-m", PROGRAM, *map(str, descriptors), sha256),
        pass_fds=descriptors,
        cwd=Path("/"),
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as program:
        seconds = LEAST_SECONDS + size_bytes // BYTES_A_SECOND
        alarm = threading.Timer(seconds, program.kill)
        alarm.start()
        try:
            answer = cast("BinaryIO", program.stdout).read(MAX_ANSWER_BYTES)  # by PIPE
            if len(answer) < MAX_ANSWER_BYTES:
                program.wait()  # it closed its output, and its alarm goes on
        finally:
            alarm.cancel()
            program.kill()
    _judge(program.returncode, answer)


def _judge(ended: int, answer: bytes) -> None:
    first, _, rest = answer.partition(b"\n")
    begun, said = _said(first), _said(rest)
    if "unconfined" in begun:
        raise ImportsUnavailable(
            f"expected a machine that shuts a converter in, found one that does not: "
            f"{_text(begun['unconfined'])}"
        )
    if "confined" not in begun:
        raise ConverterFailed(
            "expected torch and assay.trainers where this registry converts, and memory to load "
            f"them, found a program that ended before it began ({_ending(ended)})"
        )
    if "unwritten" in said:
        raise ConverterFailed(f"expected a disk to write to, found {_text(said['unwritten'])}")
    if "expected" in said:
        raise Refused(_text(said["expected"]), _text(said.get("found")))
    if "tensors" not in said:
        raise Refused(
            "a file that is converted within its limits of memory, time and length",
            f"one that ended the converter ({_ending(ended)})",
        )


def _ending(ended: int) -> str:
    return signal.Signals(-ended).name if ended < 0 else f"status {ended}"


def _said(answer: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(answer)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _text(value: object) -> str:
    return "".join(each if each.isprintable() else " " for each in str(value))[: MAX_REASON // 2]
