# SPDX-License-Identifier: Apache-2.0
"""The programs of a registry beside its database and broker, and how each is started."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from .environment import CHECKOUT, Deployment, secret_file
from .places import private_folder
from .processes import Program

WORKER_PROCESSES = 2
# With an open event stream, granian would wait for ever after SIGTERM.
WEB_KILL_SECONDS = 3


def signer(deployment: Deployment) -> Program:
    """The only process that reads keys."""
    places = deployment.places
    private_folder(places.signer_socket.parent)
    options = {
        "--directory": places.authority,
        "--socket": places.signer_socket,
        "--passphrase-file": passphrase_file(deployment),
    }
    return _program(deployment, "signer", ("assay.signing.signer", *_flat(options)))


def passphrase_file(deployment: Deployment) -> Path:
    """What the keys on disk are encrypted with."""
    return secret_file(deployment.places.secrets / "signer-passphrase")


def web(deployment: Deployment) -> Program:
    """Pages, API, blobs and events."""
    options = {
        "--interface": "asginl",
        "--workers": 1,
        "--workers-kill-timeout": WEB_KILL_SECONDS,
        "--host": "127.0.0.1",
        "--port": deployment.port,
    }
    return _program(deployment, "web", ("granian", *_flat(options), "registry.asgi:application"))


def worker(deployment: Deployment) -> Program:
    """Publishing and sweeps."""
    return _worker(deployment, "worker")


def slow_worker(deployment: Deployment) -> Program:
    """Hashing what is large, and imports: minutes, which nothing else waits for."""
    return _worker(deployment, "slow-worker", "--queues", "slow,imports", "--hostname", "slow@%h")


def beat(deployment: Deployment) -> Program:
    """The clock that starts the sweeps: inside a worker nobody would see that it died."""
    options = {"--schedule": deployment.places.data / "run" / "beat", "--loglevel": "INFO"}
    return _celery(deployment, "beat", "beat", *_flat(options))


def _worker(deployment: Deployment, name: str, *own: str) -> Program:
    options = {"--concurrency": WORKER_PROCESSES, "--loglevel": "INFO"}
    quiet = ("--without-gossip", "--without-mingle")
    return _celery(deployment, name, "worker", *quiet, *own, *_flat(options))


def _celery(deployment: Deployment, name: str, *words: str) -> Program:
    return _program(
        deployment,
        name,
        ("registry.supervisor.celery", "--app", "registry.celery", *words),
        # Any gentler signal makes it wait for a broker that died in the same moment.
        death_signal=signal.SIGKILL,
    )


def node(deployment: Deployment, token: Path) -> Program:
    """A volunteer's machine: this one."""
    return _trainer(deployment, "node", ("join",), token)


def generator(deployment: Deployment, token: Path) -> Program:
    """The program that generates text; torch stays out of the web process."""
    marking: dict[str, object] = {"--watermark-key": deployment.watermark_key}
    if deployment.trustmark is not None:
        marking["--trustmark"] = deployment.trustmark
    return _trainer(deployment, "generate", ("generate", *_flat(marking)), token)


def _trainer(deployment: Deployment, name: str, words: tuple[str, ...], token: Path) -> Program:
    options = {
        "--url": local_url(deployment),
        "--token-file": token,
        "--directory": private_folder(deployment.places.data / name),
    }
    return _program(deployment, name, ("assay.trainers.commands", *words, *_flat(options)))


def _flat(options: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(part) for option in options.items() for part in option)


def local_url(deployment: Deployment) -> str:
    """How a program on this machine reaches the web server."""
    return f"http://localhost:{deployment.port}"


def _program(
    deployment: Deployment,
    name: str,
    module: tuple[str, ...],
    *,
    death_signal: signal.Signals = signal.SIGTERM,
) -> Program:
    return Program(
        name=name,
        arguments=(sys.executable, "-m", *module),
        log=deployment.places.logs / f"{name}.log",
        folder=CHECKOUT,
        environment=os.environ | {"PYTHONUNBUFFERED": "1"},
        death_signal=death_signal,
    )
