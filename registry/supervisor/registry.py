# SPDX-License-Identifier: Apache-2.0
"""Starts a whole registry on this machine, says so, and keeps it running."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

from . import embedded, preparing, programs, waiting
from .environment import CHECKOUT, Deployment
from .lock import Lock
from .places import sweep
from .preparing import Demo
from .processes import Process, Program
from .progress import Progress
from .system import System
from .terminal import LogFollower, Terminal

LOOK_SECONDS = 0.2
ORPHAN_SECONDS = 10.0  # how long the children of a supervisor that was killed may take to end


def serve(deployment: Deployment, terminal: Terminal, *, is_verbose: bool) -> None:
    """Runs until it is interrupted: once it is ready, that is its end, and no failure."""
    with locked(deployment), System(terminal) as system:
        follower = LogFollower(deployment.places.logs, terminal) if is_verbose else None
        demo = start(deployment, system, terminal)
        progress = Progress(programs.local_url(deployment), demo.project, terminal)
        with suppress(KeyboardInterrupt):
            welcome(deployment, terminal)
            progress.begin()
            while True:
                time.sleep(LOOK_SECONDS)
                system.watch()
                progress.look()
                if follower is not None:
                    follower.show_new()
    terminal.say("Stopped.")


@contextmanager
def locked(deployment: Deployment) -> Iterator[None]:
    """The only supervisor of its data folder, with a port to listen on."""
    with Lock(deployment.places.lock) as lock:
        sweep(now=time.time())
        patience = ORPHAN_SECONDS if lock.was_left else 0.0
        waiting.check_port(deployment.port, patience_seconds=patience)
        try:
            yield
        finally:
            deployment.places.tidy()


def start(deployment: Deployment, system: System, terminal: Terminal) -> Demo:
    """Starts everything in the order in which one needs the other."""
    with terminal.step("PostgreSQL and Valkey"):
        for server in embedded.servers(deployment):
            system.start(server.start)
    with terminal.step("tables"):
        preparing.migrate()
    with terminal.step("certificate authority and signer"):
        preparing.create_authority(deployment)
        signer = _start(system, programs.signer(deployment))
        waiting.until_it_answers(
            signer, waiting.listens(deployment.places.signer_socket), expectation="its socket"
        )
        preparing.renew_root_list(deployment)
        preparing.distribute_trust(deployment)
    with terminal.step("web server, worker, demonstration project"):
        web = _start(system, programs.web(deployment))
        _start(system, programs.worker(deployment))
        _start(system, programs.slow_worker(deployment))
        _start(system, programs.beat(deployment))
        demo = preparing.demo()
        url = programs.local_url(deployment)
        waiting.until_it_answers(web, waiting.is_healthy(url), expectation=f"{url}/readyz")
    _start(system, programs.node(deployment, demo.node_token))
    _start(system, programs.generator(deployment, demo.generation_token))
    return demo


def _start(system: System, program: Program) -> Process:
    return system.start(partial(Process, program))


def welcome(deployment: Deployment, terminal: Terminal) -> None:
    """Says that it is ready, where, and what to do next."""
    here = programs.local_url(deployment)
    link = preparing.sign_in_link()
    if urlsplit(deployment.public_url).hostname == "localhost":  # perhaps on another port today
        link = link.replace(deployment.public_url, here, 1)
    terminal.say(
        f"\nREADY in {terminal.seconds:.0f} s. Open this to watch it train, publish and sign:\n\n"
        f"    {link}\n\n"
        "Whom you trust is your decision. This pins the registry's root, and after that\n"
        "whatever you download verifies, also with the registry switched off:\n\n"
        f"    .venv/bin/assay trust add {here}\n"
        "    .venv/bin/assay verify PATH\n\n"
        f"Its fingerprint is\n    {preparing.fingerprint()}\n\n"
        f"Logs: {_short(deployment)}/logs\nCtrl-C stops everything; the data stay.\n"
    )


def _short(deployment: Deployment) -> str:
    data = deployment.places.data
    return str(data.relative_to(CHECKOUT) if data.is_relative_to(CHECKOUT) else data)
