# SPDX-License-Identifier: Apache-2.0
"""`assay-train generate`: write the texts that a registry is asked for."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from assay.signing.client import RegistryClient
from assay.signing.watermark import WatermarkKey, parse_keys

from .. import generation, runtime
from ..blobs import BlobCache
from ..generation import Desk, Models
from ..patience import Patience
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
    word.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal. A request that it cuts short is leased anew."""
    interrupt_on_signals()
    if arguments.die_with_parent:
        die_with_parent(os.getppid())
    runtime.settle(threads=THREADS)
    key = read_key(arguments.watermark_key) if arguments.watermark_key else None
    with RegistryClient(arguments.url, read_token(arguments.token_file)) as client:
        patience = Patience()
        cache = BlobCache(arguments.directory / "blobs", client, patience)
        models = Models(arguments.directory / "checkpoints", cache)
        _logger.info("generating for %s, %s", arguments.url, _marking(key))
        desk = Desk(client=client, models=models, patience=patience, key=key)
        generation.serve(desk, name=arguments.name)
    return 0


def read_key(path: Path) -> WatermarkKey:
    """The key that marks: the first in a file."""
    return parse_keys(path.read_text(encoding="utf-8"))[0]


def _marking(key: WatermarkKey | None) -> str:
    return "without a mark" if key is None else f"marking by the key {key.id}"
