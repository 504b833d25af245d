# SPDX-License-Identifier: Apache-2.0
"""A node whose torch fails gives its run back, and takes it up again."""

import threading
from pathlib import Path

import pytest
import torch

from assay.trainers import node as nodes
from assay.trainers import publish
from assay.trainers.data import Corpus
from assay.trainers.loop import Observer, Training, train

from .node_builders import site, world_with_a_run
from .test_node import when


def test_a_serving_node_survives_a_fault_of_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, faults = world_with_a_run(tmp_path / "texts"), [torch.OutOfMemoryError("out of memory")]

    def at_first_out_of_memory(training: Training, corpus: Corpus, observer: Observer) -> None:
        if faults:
            raise faults.pop()
        train(training, corpus, observer)

    monkeypatch.setattr(nodes, "AFTER_FAILURE_SECONDS", 0.01)
    monkeypatch.setattr(publish, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(nodes, "train", at_first_out_of_memory)
    stopped = threading.Event()
    with site(world, stopped=stopped) as here:
        when(lambda: world.is_complete, stopped.set)
        nodes.serve(here.node(tmp_path / "node"))
    assert [lease.state for lease in world.leases] == ["released", "completed"]
