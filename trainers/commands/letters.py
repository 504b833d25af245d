# SPDX-License-Identifier: Apache-2.0
"""`assay-train letters`: a small model of pictures, of letters in this machine's fonts."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from .. import runtime
from ..config import PictureShape
from ..errors import FolderTaken
from ..pictures import learning, letters
from ..pictures.learning import Plan

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIDE = 32
_logger = logging.getLogger(__name__)


def add(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The word and its options."""
    word = words.add_parser(
        "letters",
        help="train a small model of pictures on letters",
        description=(
            "Draw letters with the fonts of this machine, train a small model that draws them "
            "itself, and write a checkpoint that `assay publish` takes."
        ),
    )
    word.add_argument("--out", type=Path, required=True, help="the checkpoint's folder, new")
    word.add_argument("--labels", default=LABELS, help=f"letters (default: {LABELS})")
    word.add_argument("--fonts", type=Path, metavar="FOLDER", help="other fonts than the system's")
    word.add_argument("--steps", type=int, default=1500, help="how many (default: 1500)")
    word.add_argument("--batch", type=int, default=64, help="pictures in each (default: 64)")
    word.add_argument("--width", type=int, default=32, help="of the model (default: 32)")
    word.add_argument("--seed", type=int, default=1337)
    word.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train and save."""
    runtime.settle()
    if arguments.out.exists():
        raise FolderTaken(f"expected no {arguments.out}, found one: name another folder")
    labels = list(dict.fromkeys(arguments.labels))
    shape = PictureShape.parse(
        {"side": SIDE, "channels": 1, "width": arguments.width, "steps": 24, "labels": labels}
    )
    plan = Plan(
        title=f"Letters of {SIDE} pixels",
        shape=shape,
        steps=arguments.steps,
        batch=arguments.batch,
        seed=arguments.seed,
    )
    folders = (arguments.fonts,) if arguments.fonts else letters.FOLDERS
    found = letters.fonts(folders)
    _logger.info("learning %s from %d fonts", "".join(labels), len(found))
    learnt = learning.learn(plan, letters.drawn(labels, found, SIDE))
    manifest = learning.save(learnt, arguments.out)
    print(f"{arguments.out}: sha256:{manifest.id}, loss {learnt.loss:.4f}")
    return 0
