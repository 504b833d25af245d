# SPDX-License-Identifier: Apache-2.0
"""The programs as processes: killed, told to stop, orphaned; what they leave is whole."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from assay.trainers.node import work
from assay.trainers.runtime import natural_precision
from tests.thorough import thorough
from tests.until import until

from .builders import recipe_document
from .node_builders import site, world_with_a_run
from .registry_world import TOKEN, Refusal, World

pytestmark = thorough

PATIENCE_SECONDS = 300.0
LONG = {
    "schedule": {"steps": 160, "warmup_steps": 2, "cooldown_steps": 4},
    "checkpoint_every_steps": 40,
    "validate_every_steps": 40,
}
ENDLESS = {  # for whoever is told to stop long before
    "schedule": {"steps": 100_000, "warmup_steps": 2, "cooldown_steps": 4},
    "checkpoint_every_steps": 100_000,
    "validate_every_steps": 100_000,
}


def command(word: str, world: World, folder: Path, *more: str) -> tuple[str, ...]:
    token = folder / "token"
    token.write_text(TOKEN + "\n", encoding="utf-8")
    options = ("--url", world.url, "--token-file", str(token), "--directory", str(folder / "node"))
    return (sys.executable, "-m", "assay.trainers.commands", word, *options, *more)


def start(*arguments: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL)


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Whatever is still running afterwards is killed."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_a_killed_node_goes_on_where_it_was_and_ends_as_if_never_killed(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = world_with_a_run(tmp_path / "texts", **LONG)
    with site(undisturbed) as here:
        node = here.node(tmp_path / "undisturbed")
        precision = natural_precision(node.machine.device)
        node = dataclasses.replace(
            node, machine=dataclasses.replace(node.machine, precision=precision)
        )
        lease = node.pool.lease()
        assert lease is not None
        work(node, lease)
    world = world_with_a_run(tmp_path / "texts", **LONG)
    submit, was_killed = world.submit, threading.Event()

    def one_until_it_is_killed(lease_id: str, body: Mapping[str, object]) -> object:
        """However quickly it trains, it does not come to the end before."""
        if world.checkpoints and not was_killed.is_set():
            raise Refusal(503, "unavailable", "restarting", is_misuse=False)
        return submit(lease_id, body)

    monkeypatch.setattr(world, "submit", one_until_it_is_killed)
    with site(world):
        join = command("join", world, tmp_path, "--threads", "1")
        processes.append(start(*join))
        until(lambda: world.published)
        processes[-1].kill()
        processes[-1].wait()
        was_killed.set()
        processes.append(start(*join))
        until(lambda: world.is_complete)
    assert len(world.nodes) == 1
    assert [lease.state for lease in world.leases] == ["lost", "completed"]
    assert [checkpoint.manifest for checkpoint in world.published] == [
        checkpoint.manifest for checkpoint in undisturbed.published
    ]


def test_a_node_that_is_told_to_stop_gives_its_lease_back_and_exits_with_0(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    world = world_with_a_run(tmp_path / "texts", **ENDLESS)
    with site(world):
        processes.append(start(*command("join", world, tmp_path, "--threads", "1")))
        until(lambda: world.losses)
        processes[-1].send_signal(signal.SIGINT)
        assert processes[-1].wait(PATIENCE_SECONDS) == 0
    assert [lease.state for lease in world.leases] == ["released"]


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_program_that_dies_with_its_parent_does(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    world = World(recipe=recipe_document())
    with site(world) as here:
        generate = command("generate", world, tmp_path, "--die-with-parent")
        parent = "import subprocess, sys; subprocess.run(sys.argv[1:], check=False)"
        processes.append(start(sys.executable, "-c", parent, *generate))
        until(lambda: any("generation/lease" in each for each in here.server.requests))
        children = Path(f"/proc/{processes[-1].pid}/task/{processes[-1].pid}/children")
        child = int(children.read_text(encoding="ascii").split()[0])
        processes[-1].kill()
        until(lambda: is_gone(child))


def test_a_generator_that_is_told_to_stop_exits_with_0(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    world = World()
    with site(world) as here:
        processes.append(start(*command("generate", world, tmp_path)))
        until(lambda: any("generation/lease" in each for each in here.server.requests))
        processes[-1].terminate()
        assert processes[-1].wait(PATIENCE_SECONDS) == 0
