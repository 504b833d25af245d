# SPDX-License-Identifier: Apache-2.0
"""The database server and the broker for as long as one management command runs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from .environment import Deployment
from .errors import AlreadyRunning
from .lock import Lock
from .postgres import Postgres
from .valkey import Valkey

# `up` starts its own; the others need none and start at once.
WITHOUT_SERVERS = frozenset(
    {"up", "help", "version", "--version", "--help", "makemessages", "spectacular"}
)


@contextmanager
def servers_for(word: str, deployment: Deployment) -> Iterator[None]:
    """Starts the embedded servers unless `up` runs them already or the command needs none."""
    if word in WITHOUT_SERVERS:
        yield
        return
    with ExitStack() as stack:
        try:
            stack.enter_context(Lock(deployment.places.lock))
        except AlreadyRunning:  # `up` runs, and its servers serve this command too
            yield
            return
        stack.callback(deployment.places.tidy)
        for server in servers(deployment):
            stack.callback(server.start().stop)
        yield


def servers(deployment: Deployment) -> tuple[Postgres | Valkey, ...]:
    """What is embedded, the database first."""
    return tuple(server for server in (deployment.postgres, deployment.valkey) if server)
