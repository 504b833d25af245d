# SPDX-License-Identifier: Apache-2.0
"""Measures the marks of pictures: how often they are found after copying, and how often by chance.

`./run bench picture-marks [--pictures N] [--folder FOLDER]` marks N pictures (40) of 512 × 512
pixels with a key each: those in a folder, cut to squares, or else shapes, shades and letters drawn
for it. It prints, by what was done to them, how many of a hundred are found by their watermark at
one false positive in a hundred and at the one in a million at which a registry says so, of how many
the number is read, and how many are near by their fingerprint; then the same of pictures without a
mark, and how near the fingerprints of different pictures are. Finding is done as a registry does.
"""

import argparse
import io
import itertools
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image

from assay.signing.picturemark import PAYLOAD_BITS
from assay.signing.watermark import WatermarkKey, parse_keys
from assay.trainers.errors import UnusablePicture
from assay.trainers.pictures import files, marking
from assay.trainers.pictures.files import Pixels, grey
from assay.trainers.pictures.fingerprint import distance, fingerprint
from tests.trainers.pictures.scenes import cut, saved, scaled, scene

SIDE = 512
NEAR = 15  # registry/outputs/pictures/finding.py
ONE_IN_A_HUNDRED, ONE_IN_A_MILLION = 1e-2, 1e-6
Copy = Callable[[Pixels], Pixels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What is left of one picture in one copy."""

    copy: str
    chance: float
    by_others: float
    """The chance under a key that had no part in it."""
    is_numbered: bool
    differing_bits: int
    seconds: float


def main() -> None:
    """Mark, copy, and find."""
    words = argparse.ArgumentParser(prog="./run bench picture-marks", description=__doc__)
    words.add_argument("--pictures", type=int, default=40)
    words.add_argument("--folder", type=Path, help="of pictures; drawn ones are taken without")
    given = words.parse_args()
    pictures = list(itertools.islice(opened(given.folder), given.pictures))
    with multiprocessing.get_context("spawn").Pool() as pool:
        tried = list(itertools.chain.from_iterable(pool.map(copies, enumerate(pictures))))
        chances = pool.map(unmarked, enumerate(pictures))
    print(f"{len(pictures)} pictures of {SIDE} × {SIDE}, found of 100")
    print(f"  {'':28}{'1 in 100':>10}{'1 in 10⁶':>10}{'number':>8}{'near':>6}{'others':>8}{'s':>7}")
    for name in COPIES:
        show(name, [each for each in tried if each.copy == name])
    print(
        f"  without a mark: {share(each <= ONE_IN_A_HUNDRED for each in chances):.1f} at 1 in 100"
    )
    apart(pictures)


def opened(folder: Path | None) -> Iterable[Pixels]:
    """Squares of one size."""
    if folder is None:
        yield from map(scene, itertools.count())
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp", ".gif"}:
            try:
                pixels = files.read(io.BytesIO(path.read_bytes()))
            except UnusablePicture:
                continue
            if min(pixels.shape[:2]) >= SIDE // 2:
                yield square(pixels)


def square(pixels: Pixels) -> Pixels:
    """Its middle, at SIDE."""
    side = min(pixels.shape[:2])
    top, left = ((each - side) // 2 for each in pixels.shape[:2])
    middle = Image.fromarray(pixels[top : top + side, left : left + side])
    return np.asarray(middle.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def copies(numbered: tuple[int, Pixels]) -> list[Tried]:
    """Each copy of one picture."""
    number, pixels = numbered
    payload = (number * 0x9E3779B1) % 2**PAYLOAD_BITS
    marked = marking.mark(pixels, key(number), payload)
    own = fingerprint(grey(marked))
    return [tried(name, copy(marked), number, payload, own) for name, copy in COPIES.items()]


def tried(name: str, copy: Pixels, number: int, payload: int, own: bytes) -> Tried:
    """One copy, looked at."""
    began = time.process_time()
    found = marking.find(copy, [key(number)])
    seconds = time.process_time() - began
    return Tried(
        copy=name,
        chance=found.chance,
        by_others=marking.find(copy, [key(1_000_000 + number)]).chance,
        is_numbered=found.number == payload,
        differing_bits=distance(own, fingerprint(grey(copy))),
        seconds=seconds,
    )


def unmarked(numbered: tuple[int, Pixels]) -> float:
    """The chance of a picture that nobody marked."""
    number, pixels = numbered
    return marking.find(pixels, [key(number)]).chance


def key(number: int) -> WatermarkKey:
    """A key of its own for each picture: what one key favours by chance says nothing of others."""
    return parse_keys(f"a-key-of-the-benchmark-and-of-nothing-else-{number}")[0]


def show(name: str, tries: Sequence[Tried]) -> None:
    """One line."""
    print(
        f"  {name:28}{share(each.chance <= ONE_IN_A_HUNDRED for each in tries):10.0f}"
        f"{share(each.chance <= ONE_IN_A_MILLION for each in tries):10.0f}"
        f"{share(each.is_numbered for each in tries):8.0f}"
        f"{share(each.differing_bits <= NEAR for each in tries):6.0f}"
        f"{share(each.by_others <= ONE_IN_A_HUNDRED for each in tries):8.1f}"
        f"{statistics.median(each.seconds for each in tries):7.2f}"
    )


def apart(pictures: Sequence[Pixels]) -> None:
    """How near the fingerprints of different pictures are."""
    prints = [fingerprint(grey(each)) for each in pictures]
    bits = [distance(one, other) for one, other in itertools.combinations(prints, 2)]
    print(
        f"  fingerprints of {len(bits)} pairs of different pictures differ in {min(bits)} bits or "
        f"more of 128, {statistics.median(bits):.0f} in the middle; {NEAR} or fewer: "
        f"{share(each <= NEAR for each in bits):.3f} of 100"
    )


def share(found: Iterable[bool]) -> float:
    """How many of a hundred."""
    counted = list(found)
    return 100 * sum(counted) / len(counted)


def flipped(pixels: Pixels) -> Pixels:
    """As in a mirror, which the watermark does not survive."""
    return np.ascontiguousarray(pixels[:, ::-1])


COPIES: dict[str, Copy] = {
    "as it is": lambda pixels: pixels,
    "JPEG 70": lambda pixels: saved(pixels, quality=70),
    "JPEG 50": lambda pixels: saved(pixels, quality=50),
    "JPEG 30": lambda pixels: saved(pixels, quality=30),
    "cut to half its area": lambda pixels: cut(pixels, 61, 90, 362),
    "cut to a quarter": lambda pixels: cut(pixels, 101, 77, 256),
    "screenshot at 75 %": lambda pixels: scaled(pixels, 0.75),
    "screenshot at 125 %": lambda pixels: scaled(pixels, 1.25),
    "screenshot at 150 %": lambda pixels: scaled(pixels, 1.5),
    "screenshot at 50 %": lambda pixels: scaled(pixels, 0.5),
    "cut, 75 %, JPEG 70": lambda pixels: saved(scaled(cut(pixels, 61, 90, 362), 0.75), quality=70),
    "cut, 125 %, JPEG 70": lambda pixels: saved(scaled(cut(pixels, 61, 90, 362), 1.25), quality=70),
    "mirrored": flipped,
}


if __name__ == "__main__":
    main()
