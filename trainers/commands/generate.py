# SPDX-License-Identifier: Apache-2.0
"""`assay-train generate`: write the texts that a registry is asked for."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from assay.signing.client import RegistryClient

from .. import generation, runtime
from ..patience import Patience
from .process import add_registry, die_with_parent, interrupt_on_signals, read_token

THREADS = 1  # see sampling
_logger = logging.getLogger(__name__)


def add(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The word and its options."""
    word = words.add_parser(
        "generate",
        help="generate for a registry's outputs",
        description="Lease requests for text and answer each with the checkpoint that it names.",
    )
    add_registry(word)
    word.add_argument(
        "--directory",
        type=Path,
        default=Path.home() / ".cache" / "assay-generate",
        help="where downloaded checkpoints are kept (default: ~/.cache/assay-generate)",
    )
    word.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal. A request that it cuts short is leased anew."""
    interrupt_on_signals()
    if arguments.die_with_parent:
        die_with_parent(os.getppid())
    runtime.settle(threads=THREADS)
    with RegistryClient(arguments.url, read_token(arguments.token_file)) as client:
        _logger.info("generating for %s", arguments.url)
        generation.serve(client, arguments.directory, name=arguments.name, patience=Patience())
    return 0
