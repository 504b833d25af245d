# SPDX-License-Identifier: Apache-2.0
"""`assay-train regenerate`: whether a checkpoint makes again what a registry says it made."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.digests import as_id, sha256
from assay.signing.watermark import parse_keys

from .. import runtime
from ..errors import NeedsWatermarkKey, NotRegenerable
from ..pictures.files import Pixels
from ..pictures.trustmark import Writer
from ..regenerating import Written
from .generate import THREADS, add_trustmark

DIFFERS = 3
NEEDS_KEY = 4
WHY = (
    "Another processor or version of torch may be why; if the machine that made it was like this "
    "one, this checkpoint did not make it so."
)


def add(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The word and its options."""
    word = words.add_parser(
        "regenerate",
        help="ask a checkpoint again what a signed text or picture is said to have come of",
        description=(
            "Read an answer of a registry's POST /api/v1/outputs, ask the checkpoint the same "
            "again, and compare it with what was signed: a text byte by byte, a picture pixel by "
            "pixel. On one kind of machine the same request gives the same. Who signed the answer "
            "is not judged: assay verify does."
        ),
        epilog=(
            f"exit codes: 0 the same, 1 failed, 2 wrong usage, {DIFFERS} another one, "
            f"{NEEDS_KEY} it was watermarked, and what that takes is not at hand"
        ),
    )
    word.add_argument("answer", type=Path, help="the answer, with its request and its evidence")
    word.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="the checkpoint, as `assay download` leaves it",
    )
    word.add_argument(
        "--watermark-key",
        type=Path,
        metavar="FILE",
        help="the registry's key, where it was made with one",
    )
    add_trustmark(word)
    word.add_argument(
        "--picture",
        type=Path,
        metavar="FILE",
        help="the picture, where one was asked for",
    )
    word.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Generate it again, and say what came of it."""
    runtime.settle(threads=THREADS)
    written = Written.parse(_read(arguments.answer))
    file = arguments.watermark_key
    keys = parse_keys(file.read_text(encoding="utf-8")) if file else ()
    writer = Writer(arguments.trustmark) if arguments.trustmark else None
    try:
        made = written.again(arguments.checkpoint, keys, writer)
    except NeedsWatermarkKey as error:
        print(f"assay-train: {error}", file=sys.stderr)
        return NEEDS_KEY
    if not isinstance(made, str):
        return _compared(written, made, arguments.picture)
    if written.is_same(made):
        print(f"The same text, to the byte: {as_id(written.claim.exact_sha256)}.")
        return 0
    print(_difference(written, made), file=sys.stderr)
    return DIFFERS


def _compared(written: Written, pixels: Pixels, file: Path | None) -> int:
    if file is None:
        raise NotRegenerable("expected the picture that was signed: name it with --picture FILE")
    differing = written.differing(pixels, file.read_bytes())
    if not differing:
        print(f"The same picture, to the pixel: {as_id(written.claim.exact_sha256)}.")
        return 0
    print(f"Another picture: {differing} pixels differ. {WHY}", file=sys.stderr)
    return DIFFERS


def _read(path: Path) -> Obj:
    with canonical.within(path.name), path.open("rb") as file:
        return canonical.as_mapping(canonical.loads(file.read(canonical.MAX_BYTES + 1)), "document")


def _difference(written: Written, text: str) -> str:
    """What is known of it. Machines of other kinds round other sums, and then draw other bytes."""
    found, expected = text.encode(), (written.text or "").encode()
    pairs = zip(found, expected, strict=False)
    same = next((place for place, (one, other) in enumerate(pairs) if one != other), None)
    at = min(len(found), len(expected)) if same is None else same
    where = f" The two are alike up to byte {at}." if written.text is not None else ""
    return (
        f"Another text: {as_id(sha256(found))}, where {as_id(written.claim.exact_sha256)} was "
        f"signed.{where} {WHY}"
    )
