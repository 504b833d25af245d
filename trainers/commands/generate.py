# SPDX-License-Identifier: Apache-2.0
"""`assay-train generate`: write the texts that a registry is asked for."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from assay.signing.client import RegistryClient
from assay.signing.trustmark import ENCODER
from assay.signing.watermark import WatermarkKey, parse_keys

from .. import generation, runtime
from ..blobs import BlobCache
from ..errors import UnusableNetworks
from ..generation import Desk, Models
from ..patience import Patience
from ..pictures.drawing import Marks
from ..pictures.trustmark import Writer
from .process import add_registry, die_with_parent, interrupt_on_signals, read_token

THREADS = 1  # see sampling
_logger = logging.getLogger(__name__)


def add(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The word and its options."""
    word = words.add_parser(
        "generate",
        help="generate for a registry's outputs",
        description=(
            "Lease requests for texts and pictures; answer each with the checkpoint that it names."
        ),
    )
    add_registry(word)
    word.add_argument(
        "--directory",
        type=Path,
        default=Path.home() / ".cache" / "assay-generate",
        help="where downloaded checkpoints are kept (default: ~/.cache/assay-generate)",
    )
    word.add_argument(
        "--watermark-key",
        type=Path,
        metavar="FILE",
        help="the registry's key, by which texts of more than 200 bytes and pictures of 256 pixels "
        "or more are marked (default: none is)",
    )
    add_trustmark(word)
    word.set_defaults(run=run)


def add_trustmark(word: argparse.ArgumentParser) -> None:
    """The option that names TrustMark's networks."""
    word.add_argument(
        "--trustmark",
        type=Path,
        metavar="FOLDER",
        help=f"where TrustMark's {ENCODER} lies, with which pictures are marked as well",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal. A request that it cuts short is leased anew."""
    interrupt_on_signals()
    if arguments.die_with_parent:
        die_with_parent(os.getppid())
    runtime.settle(threads=THREADS)
    marks = _marks(arguments)
    with RegistryClient(arguments.url, read_token(arguments.token_file)) as client:
        patience = Patience()
        cache = BlobCache(arguments.directory / "blobs", client, patience)
        models = Models(arguments.directory / "checkpoints", cache)
        _logger.info("generating for %s, %s", arguments.url, _marking(marks))
        desk = Desk(client=client, models=models, patience=patience, marks=marks)
        generation.serve(desk, name=arguments.name)
    return 0


def read_key(path: Path) -> WatermarkKey:
    """The key that marks: the first in a file."""
    return parse_keys(path.read_text(encoding="utf-8"))[0]


def _marks(arguments: argparse.Namespace) -> Marks | None:
    if arguments.watermark_key is None:
        if arguments.trustmark is not None:
            raise UnusableNetworks(
                "--trustmark: expected --watermark-key FILE with it, whose key vouches for what "
                "the networks write, found none"
            )
        return None
    writer = Writer(arguments.trustmark) if arguments.trustmark else None
    return Marks(key=read_key(arguments.watermark_key), trustmark=writer)


def _marking(marks: Marks | None) -> str:
    if marks is None:
        return "without a mark"
    also = "" if marks.trustmark is None else ", pictures with TrustMark as well"
    return f"marking by the key {marks.key.id}{also}"
