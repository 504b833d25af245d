# SPDX-License-Identifier: Apache-2.0
"""A node against a strict registry: it trains, publishes, survives faults, and goes on."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.signing.errors import DigestMismatch, InvalidDocument
from assay.trainers import blobs, publish, reporting
from assay.trainers import node as nodes
from assay.trainers.errors import LeaseLost, PublishRefused, WrongDigest
from assay.trainers.loop import LossPoint, Training
from assay.trainers.node import Node
from assay.trainers.pool import Lease
from tests.until import until

from .builders import recipe_document
from .node_builders import Site, site, world_with_a_run
from .registry_server import Fault, Kind
from .registry_world import POLICY, Refusal, World

REQUESTS = (
    "GET /.well-known/assay/trust-root",
    "POST /api/v1/nodes",
    "POST /api/v1/leases$",
    "GET /api/v1/conduct",
    "GET /api/v1/blobs",
    "PUT /api/v1/blobs",
    "POST .*/losses",
    "POST .*/checkpoints",
    "GET /api/v1/checkpoints",
    "POST .*/complete",
)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "REPORT_SECONDS", 0.02)
    monkeypatch.setattr(publish, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(nodes, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(nodes, "AFTER_FAILURE_SECONDS", 0.01)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_with_a_run(tmp_path / "texts")


def work(here: Site, directory: Path) -> None:
    """Lease the run once and work on it."""
    node = here.node(directory)
    lease = node.pool.lease()
    assert lease is not None
    nodes.work(node, lease)


def when(happened: Callable[[], bool], act: Callable[[], None]) -> threading.Thread:
    """Do something as soon as something else has happened."""

    def watch() -> None:
        while not happened():
            threading.Event().wait(0.005)
        act()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_a_run_is_trained_published_and_completed(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        work(here, tmp_path / "node")
    assert [checkpoint.step for checkpoint in world.published] == [6, 12]
    assert [checkpoint.name for checkpoint in world.published] == ["step-000006", "step-000012"]
    assert world.is_complete
    assert world.leases[0].state == "completed"


def test_a_later_runs_names_begin_as_the_lease_says(world: World, tmp_path: Path) -> None:
    world.name_prefix = "run-2-"
    with site(world) as here:
        work(here, tmp_path / "node")
    names = [checkpoint.name for checkpoint in world.published]
    assert names == ["run-2-step-000006", "run-2-step-000012"]


def test_every_step_is_reported_and_held_out_losses_where_due(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        work(here, tmp_path / "node")
    assert sorted(world.losses) == list(range(1, 13))
    assert [step for step in sorted(world.losses) if "validation" in world.losses[step]] == [
        4,
        6,
        8,
        12,
    ]
    assert world.losses[12]["bytes_seen"] == 12 * 256


def test_the_statement_says_what_was_run(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        work(here, tmp_path / "node")
    first, last = (checkpoint.claim for checkpoint in world.published)
    assert first.parent_sha256 is None
    assert last.parent_sha256 == first.manifest_sha256
    assert last.bytes_seen == 12 * 256
    assert last.hardware["precision"] == "float32"
    assert set(last.software) == {"python", "torch"}
    assert float(last.validation_loss) < float(first.validation_loss)


def test_the_card_names_run_rules_and_data(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        work(here, tmp_path / "node")
    entry = world.published[-1].manifest.files[0]
    card = world.blobs[entry.sha256].decode()
    assert entry.name == "README.md"
    assert "# alice/code, step 12" in card
    assert f"sha256:{world.conduct.sha256}" in card


def test_published_checkpoints_are_not_kept_by_the_node(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        work(here, tmp_path / "node")
    assert [path.name for path in (tmp_path / "node" / "runs" / "run-1").iterdir()] == [
        "step-000012"
    ]


@pytest.mark.parametrize("kind", [Kind.REFUSE, Kind.FORGET_TO_ANSWER])
def test_a_registry_that_is_away_now_and_then_loses_nothing(
    world: World, tmp_path: Path, kind: Kind
) -> None:
    with site(world) as here:
        here.server.faults += [Fault(pattern=each, kind=kind, times=2) for each in REQUESTS]
        work(here, tmp_path / "node")
        assert all(fault.times == 0 for fault in here.server.faults)
    assert [checkpoint.step for checkpoint in world.published] == [6, 12]
    assert sorted(world.losses) == list(range(1, 13))
    assert world.is_complete


def test_a_stopped_node_gives_its_lease_back(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        stop_after_the_first_checkpoint(here, tmp_path / "node")
    assert world.leases[0].state == "released"
    assert not world.is_complete


def stop_after_the_first_checkpoint(here: Site, directory: Path) -> None:
    """Hand in one checkpoint; be told to stop before the next step."""
    original = nodes._Work.on_checkpoint

    def stop(self: nodes._Work, training: Training, point: LossPoint) -> None:
        original(self, training, point)
        until(lambda: here.world.checkpoints)
        here.patience.stopped.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes._Work, "on_checkpoint", stop)
        work(here, directory)


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(world: World, tmp_path: Path) -> None:
    whole = world_with_a_run(tmp_path / "texts")
    with site(whole) as here:
        work(here, tmp_path / "undisturbed")
    with site(world) as here:
        stop_after_the_first_checkpoint(here, tmp_path / "node")
        here.patience.stopped.clear()
        work(here, tmp_path / "node")
    assert [checkpoint.manifest.id for checkpoint in world.published] == [
        checkpoint.manifest.id for checkpoint in whole.published
    ]


def test_another_node_takes_over_from_the_last_checkpoint(world: World, tmp_path: Path) -> None:
    whole = world_with_a_run(tmp_path / "texts")
    with site(whole) as here:
        work(here, tmp_path / "undisturbed")
    world.recipe = recipe_document()
    with site(world) as here:
        leave_after_the_first_checkpoint(here, tmp_path / "first")
        work(here, tmp_path / "second")
    assert [lease.resume for lease in world.leases] == [None, whole.published[0].manifest.id]
    assert world.published[-1].manifest.id == whole.published[-1].manifest.id
    assert world.published[-1].claim.node == "node-2"


def leave_after_the_first_checkpoint(here: Site, directory: Path) -> None:
    """Work until a checkpoint is out, then vanish: the registry ends the lease."""
    original = nodes._Work.on_checkpoint

    def leave(self: nodes._Work, training: Training, point: LossPoint) -> None:
        original(self, training, point)
        self._publisher.settle()
        here.world.leases[-1].state = "lost"
        self._reporter._is_lost.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes._Work, "on_checkpoint", leave)
        with pytest.raises(LeaseLost, match="lost at step 6"):
            work(here, directory)


def test_a_lost_lease_stops_the_training(world: World, tmp_path: Path) -> None:
    world.recipe = recipe_document(
        schedule={"steps": 100_000, "warmup_steps": 0, "cooldown_steps": 0},
        checkpoint_every_steps=100_000,
        validate_every_steps=100_000,
    )

    def lose() -> None:
        world.leases[0].state = "lost"

    with site(world) as here:
        when(lambda: bool(world.losses), lose)
        with pytest.raises(LeaseLost, match="lease-1: lost at step"):
            work(here, tmp_path / "node")
        assert not any("release" in request for request in here.server.requests)


def test_heartbeats_keep_a_lease_whatever_the_training_does(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        node = here.node(tmp_path / "node")
        lease = node.pool.lease()
        assert lease is not None
        reporter = reporting.Reporter(node.pool, lease, 3)
        reporter.start()
        thread = when(lambda: len(world.leases[0].beats) > 1, reporter.finish)
        thread.join(timeout=10)
    assert set(world.leases[0].beats) == {3}


def test_a_lost_lease_is_learnt_from_a_heartbeat(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        node = here.node(tmp_path / "node")
        lease = node.pool.lease()
        assert lease is not None
        world.leases[0].state = "lost"
        with pytest.raises(LeaseLost, match="expected it active, found it lost"):
            node.pool.beat(lease, 1)


def test_a_checkpoint_that_was_submitted_before_is_not_submitted_again(
    world: World, tmp_path: Path
) -> None:
    world.polls_until_published = 1_000_000
    with site(world) as here:
        stop_after_the_first_checkpoint(here, tmp_path / "node")
        assert len(world.checkpoints) == 1
        here.patience.stopped.clear()
        world.polls_until_published = 0
        when(lambda: len(world.leases) > 1, lambda: setattr(world.checkpoints[0], "polls_left", 0))
        work(here, tmp_path / "node")
    assert [checkpoint.step for checkpoint in world.published] == [6, 12]


def test_a_rejected_checkpoint_ends_the_work(world: World, tmp_path: Path) -> None:
    world.verdict = "rejected"
    with site(world) as here, pytest.raises(PublishRefused, match="found it rejected"):
        work(here, tmp_path / "node")
    assert world.leases[0].state == "released"


def test_a_checkpoint_that_conflicts_with_another_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site(world) as here:
        leave_after_the_first_checkpoint(here, tmp_path / "node")
        held = world.checkpoints.pop()
        monkeypatch.setattr(world, "submit", conflicting)
        with pytest.raises(PublishRefused, match="step-000006"):
            work(here, tmp_path / "node")
        assert held.step == 6


def test_a_conflict_with_another_runs_checkpoint_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site(world) as here:
        leave_after_the_first_checkpoint(here, tmp_path / "node")
        monkeypatch.setattr(world, "submit", conflicting)
        monkeypatch.setattr(world, "show_checkpoint", of_another_run)
        with pytest.raises(PublishRefused, match="step-000012"):
            work(here, tmp_path / "node")


def of_another_run(identifier: str) -> object:
    return {"id": identifier, "state": "published", "run": "run-0"}


def conflicting(lease_id: str, body: object) -> object:
    raise Refusal(409, "checkpoint-exists", "another of this name", is_misuse=False)


def test_a_dataset_of_another_digest_is_refused(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        here.server.faults.append(Fault(pattern="GET /api/v1/blobs", kind=Kind.CORRUPT))
        with pytest.raises(DigestMismatch, match="expected a blob sha256:"):
            work(here, tmp_path / "node")
    assert world.leases[0].state == "released"
    assert world.checkpoints == []


def test_a_damaged_file_in_the_cache_is_fetched_again(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        leave_after_the_first_checkpoint(here, tmp_path / "node")
        first, *_ = sorted((tmp_path / "node" / "blobs").iterdir())
        first.write_bytes(b"damaged")
        work(here, tmp_path / "node")
    assert world.is_complete


def test_files_of_earlier_runs_make_room(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "KEPT_BYTES", 0)
    folder = tmp_path / "node"
    for earlier in (folder / "blobs", folder / "runs" / "run-0" / "step-000012"):
        earlier.mkdir(parents=True)
        (earlier / "file").write_bytes(b"of an earlier run")
    with site(world) as here:
        leave_after_the_first_checkpoint(here, folder)
        work(here, folder)
    assert world.is_complete
    assert world.dataset is not None
    dataset = {entry.sha256 for entry in world.dataset.files}
    resumed = {entry.sha256 for entry in world.published[0].manifest.files}
    assert {path.name for path in (folder / "blobs").iterdir()} == dataset | resumed
    assert [path.name for path in (folder / "runs").iterdir()] == ["run-1"]


def test_rules_of_another_digest_are_refused(world: World, tmp_path: Path) -> None:
    world.policy = {**POLICY, "title": "Be unkind"}
    with site(world) as here, pytest.raises(WrongDigest, match=r"conduct kind 1\.0: expected"):
        work(here, tmp_path / "node")
    assert world.leases[0].state == "released"


def test_files_that_are_not_the_dataset_are_refused(world: World, tmp_path: Path) -> None:
    with site(world) as here:
        node = here.node(tmp_path / "node")
        assert world.dataset is not None
        named = world.dataset.id
        object.__setattr__(world.dataset, "files", world.dataset.files[1:])
        with pytest.raises(WrongDigest, match="dataset: expected files of"):
            lease_named(node, world, named)


def lease_named(node: Node, world: World, digest: str) -> None:
    answer = world.lease({"node": node.pool.identity.id})
    assert isinstance(answer, dict)
    answer["run"]["dataset"]["sha256"] = digest
    Lease.parse(answer)


def test_a_recipe_for_another_trainer_is_not_run(world: World, tmp_path: Path) -> None:
    world.recipe = recipe_document(trainer="any-code/v1")
    with site(world) as here, pytest.raises(InvalidDocument, match="expected byte-gpt/v1"):
        work(here, tmp_path / "node")


def test_a_serving_node_works_until_it_is_stopped(world: World, tmp_path: Path) -> None:
    stopped = threading.Event()
    with site(world, stopped=stopped) as here:
        node = here.node(tmp_path / "node")
        when(lambda: world.is_complete, stopped.set)
        nodes.serve(node)
    assert world.is_complete


def test_a_serving_node_survives_a_run_that_fails(world: World, tmp_path: Path) -> None:
    stopped = threading.Event()
    world.policy = {**POLICY, "title": "Be unkind"}

    def mend() -> None:
        world.policy = POLICY

    with site(world, stopped=stopped) as here:
        node = here.node(tmp_path / "node")
        when(lambda: len(world.leases) > 2, mend)
        when(lambda: world.is_complete, stopped.set)
        nodes.serve(node)
    assert world.is_complete
    assert {lease.state for lease in world.leases} == {"released", "completed"}


def test_a_node_without_work_says_that_it_is_there(tmp_path: Path) -> None:
    stopped = threading.Event()
    with site(World(), stopped=stopped) as here:
        node = here.node(tmp_path / "node")
        when(lambda: "POST /api/v1/nodes/node-1/heartbeat" in here.server.requests, stopped.set)
        nodes.serve(node)
