# SPDX-License-Identifier: Apache-2.0
"""`assay-train join`: give this machine to a registry's pool until told to stop."""

from __future__ import annotations

import argparse
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from assay.signing.client import RegistryClient

from .. import identity, node, runtime
from ..patience import Patience
from ..pool import Pool
from .process import add_registry, die_with_parent, read_token, stop_on_signals

NICENESS = 5  # it is somebody's machine: whatever else runs there comes first
REGISTRY_SECONDS = 15.0  # half a lease: one answer that never comes must not cost it
_logger = logging.getLogger(__name__)


def add(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The word and its options."""
    word = words.add_parser(
        "join",
        help="train for a registry's pool",
        description=(
            "Join a pool, train what it asks for and publish the checkpoints, until stopped. "
            "Only recipes for the built-in trainer are run, never code; connections only go out."
        ),
    )
    add_registry(word)
    word.add_argument(
        "--directory",
        type=Path,
        default=Path.home() / ".local" / "share" / "assay-node",
        help="where the node keeps its key and its files (default: ~/.local/share/assay-node)",
    )
    word.add_argument("--threads", type=int, help="processor threads to use (default: all cores)")
    word.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal."""
    stopped = stop_on_signals()
    if arguments.die_with_parent:
        die_with_parent(os.getppid())
    machine = runtime.settle(threads=arguments.threads)
    patience = Patience(stopped=stopped)
    token = read_token(arguments.token_file)
    with RegistryClient(arguments.url, token, timeout_seconds=REGISTRY_SECONDS) as client:
        me = identity.join(
            client,
            identity.node_key(arguments.directory),
            name=arguments.name,
            hardware=machine.to_json(),
            now=lambda: datetime.now(UTC),
            patience=patience,
        )
        _logger.info("joined %s as %s", arguments.url, me.uri)
        os.nice(NICENESS)
        pool = Pool(client=client, identity=me, patience=patience)
        node.serve(
            node.Node(
                pool=pool,
                directory=arguments.directory,
                machine=machine,
                now=lambda: datetime.now(UTC),
            )
        )
    return 0
