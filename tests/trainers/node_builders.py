# SPDX-License-Identifier: Apache-2.0
"""A node and its registry for one test, in this process and on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assay.signing.client import RegistryClient
from assay.trainers import identity
from assay.trainers.node import Node
from assay.trainers.patience import Patience
from assay.trainers.pool import Pool

from .builders import CPU, recipe_document, write_texts
from .registry_server import Server, serving
from .registry_world import TOKEN, World

LONGEST_TEST_SECONDS = 300.0  # then whatever serves is told to stop, and the test fails
HASTE = {"first_wait_seconds": 0.01, "limit_seconds": 10.0}


def world_with_a_run(folder: Path, **changes: object) -> World:
    """A registry whose one run trains on a folder of texts."""
    world = World(recipe=recipe_document(**changes))
    manifest = write_texts(folder)
    world.hold(manifest, {file.name: (folder / file.name).read_bytes() for file in manifest.files})
    return world


@dataclass(frozen=True, kw_only=True)
class Site:
    """A served world, and whoever works for it."""

    world: World
    server: Server
    client: RegistryClient
    patience: Patience

    def node(self, directory: Path) -> Node:
        """A node that has joined."""
        me = identity.join(
            self.client,
            identity.node_key(directory),
            name="a machine of Alice's",
            hardware=CPU.to_json(),
            now=lambda: datetime.now(UTC),
            patience=self.patience,
        )
        pool = Pool(client=self.client, identity=me, patience=self.patience)
        return Node(pool=pool, directory=directory, machine=CPU, now=lambda: datetime.now(UTC))


@contextmanager
def site(world: World, *, stopped: threading.Event | None = None) -> Iterator[Site]:
    """Serve a world and speak to it with its token and little patience."""
    patience = Patience(stopped=stopped or threading.Event(), **HASTE)
    watchdog = threading.Timer(LONGEST_TEST_SECONDS, patience.stopped.set)
    watchdog.start()
    try:
        with serving(world) as server, RegistryClient(world.url, TOKEN) as client:
            yield Site(world=world, server=server, client=client, patience=patience)
    finally:
        watchdog.cancel()
