# SPDX-License-Identifier: Apache-2.0
"""The program that looks at a stranger's picture, shut in while it does.

python -m assay.trainers.looking INPUT [FOLDER]

INPUT is a descriptor that is open; FOLDER has TrustMark's decoder, if its mark is looked for, too.
Standard input has the keys, a secret of 64 hexadecimal digits on each line. Two lines of JSON on
standard output say what came of it: `{"confined": true}` before the picture is read, so that
whatever ends the program without it is no fault of the picture's, and then
`{"fingerprint", "height", "width", "mark"}`, or `{"unusable": …}`. Instead of both,
`{"unconfined": …}`.

Readers of pictures are large and old. Whatever gets past them is in a process that can read that
picture and nothing else; the keys are in it, and by them it could say that it found a mark.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from assay.signing.watermark import WatermarkKey

from .confine import Unconfined, confine
from .errors import UnusableNetworks, UnusablePicture
from .pictures import files, marking
from .pictures.files import Pixels
from .pictures.fingerprint import fingerprint
from .pictures.marking import Found
from .pictures.trustmark import Reader

MEMORY_BYTES = 768 << 20
CPU_SECONDS = 20
WRITTEN_BYTES = 0  # a pipe is no file
MAX_BYTES = 8 << 20
WARM_PIXELS = 256
WITHOUT_NETWORKS = "one without TrustMark's networks (manage.py check --deploy says why)"


def main(argv: Sequence[str]) -> int:
    """Look at one picture; whoever reads the two lines says what they come to."""
    keys = tuple(WatermarkKey(bytes.fromhex(line)) for line in sys.stdin.read().split())
    try:
        reader = Reader(Path(argv[1])) if argv[1:] else None
    except UnusableNetworks:  # whoever sent the picture need not know where they lie
        _say({"unconfined": WITHOUT_NETWORKS})
        return 0
    _warm(keys, reader)
    try:
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted
            confine(
                nothing.fileno(),
                memory_bytes=MEMORY_BYTES,
                cpu_seconds=CPU_SECONDS,
                written_bytes=WRITTEN_BYTES,
            )
    except Unconfined as error:
        _say({"unconfined": str(error)})
        return 0
    _say({"confined": True})
    try:
        _say(_seen(_read(int(argv[0])), keys, reader))
    except UnusablePicture as error:
        _say({"unusable": str(error)})
    return 0


def _seen(data: bytes, keys: Sequence[WatermarkKey], reader: Reader | None) -> dict[str, object]:
    """What the picture shows."""
    pixels = files.read(io.BytesIO(data))
    height, width, _ = pixels.shape
    found = _mark(pixels, keys, reader) if keys else None
    return {
        "fingerprint": fingerprint(files.grey(pixels)).hex(),
        "height": height,
        "width": width,
        "mark": found and {
            "scheme": found.scheme,
            "key": found.key,
            "p_value": found.chance,
            "scale": found.scale and round(found.scale, 3),
            "number": found.number,
        },
    }  # fmt: skip


def _mark(pixels: Pixels, keys: Sequence[WatermarkKey], reader: Reader | None) -> Found:
    ours = marking.find(pixels, keys)
    return ours if reader is None else surer(ours, reader.find(pixels, keys))


def surer(ours: Found, theirs: Found | None) -> Found:
    """Of our own mark and TrustMark's, if there is one: but one that says whose picture it is.

    Chance had two tries, so it counts twice.
    """
    if theirs is None or (ours.chance <= theirs.chance and ours.number is not None):
        return replace(ours, chance=min(1.0, 2 * ours.chance))
    return replace(theirs, chance=2 * min(ours.chance, theirs.chance))


def _warm(keys: Sequence[WatermarkKey], reader: Reader | None) -> None:
    """Everything that is loaded at its first use: later no file can be opened."""
    grey = np.zeros((WARM_PIXELS, WARM_PIXELS, 1), dtype=np.uint8)
    _seen(files.write(grey), keys[:1], reader)
    for kind in files.FORMATS:
        _seen(files.written(grey, kind), (), None)


def _read(descriptor: int) -> bytes:
    pieces = []
    while piece := os.read(descriptor, 1 << 20):
        pieces.append(piece)
        if sum(map(len, pieces)) > MAX_BYTES:
            raise UnusablePicture(f"expected at most {MAX_BYTES} bytes, found more")
    return b"".join(pieces)


def _say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
