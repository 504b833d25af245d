# SPDX-License-Identifier: Apache-2.0
"""The generation program against a strict registry: it answers what it can, and goes on."""

import base64
import io
import threading
from pathlib import Path

import numpy as np
import pytest

from assay.signing import picturemark, trustmark
from assay.signing.digests import as_id, sha256
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.watermark import count
from assay.trainers import generation, saving
from assay.trainers.blobs import BlobCache
from assay.trainers.config import Drawing, PictureShape, Sampling
from assay.trainers.generation import Desk, Models
from assay.trainers.loop import Training
from assay.trainers.pictures import drawing, files, learning, letters, marking
from assay.trainers.pictures.drawing import Marks
from assay.trainers.pictures.learning import Plan
from assay.trainers.pictures.trustmark import Reader, Writer
from assay.trainers.sampling import generate
from tests.signing.marking import key

from .builders import CPU, tiny_recipe
from .node_builders import Site, site
from .pictures import networks
from .registry_server import Fault, Kind
from .registry_world import Job, World

REQUEST = {"prompt": "def ", "max_new_bytes": 20, "temperature": "0.7", "seed": 7}


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(generation, "AFTER_FAILURE_SECONDS", 0.01)


def publish(world: World, folder: Path, seed: int = 1) -> Manifest:
    """Put a checkpoint's files into the registry."""
    manifest = saving.save(Training.begin(tiny_recipe(seed=seed), CPU), "card", folder)
    for entry in manifest.files:
        world.blobs[entry.sha256] = (folder / entry.name).read_bytes()
    return manifest


def ask(world: World, manifest: Manifest, **changes: object) -> Job:
    body = {"checkpoint": as_id(manifest.id), "files": manifest.to_json()["files"], **REQUEST}
    job = Job(id=f"job-{len(world.jobs) + 1}", body={**body, **changes})
    world.jobs.append(job)
    return job


def serve(here: Site, directory: Path, marks: Marks | None = None) -> None:
    """Answer until nothing is open any more."""

    def watch() -> None:
        while any(job.state in {"queued", "leased"} for job in here.world.jobs):
            threading.Event().wait(0.005)
        here.patience.stopped.set()

    threading.Thread(target=watch, daemon=True).start()
    models = Models(
        directory / "checkpoints", BlobCache(directory / "blobs", here.client, here.patience)
    )
    desk = Desk(client=here.client, models=models, patience=here.patience, marks=marks)
    generation.serve(desk, name="a generator")


def test_a_request_is_answered_with_what_the_checkpoint_writes(tmp_path: Path) -> None:
    world = World()
    manifest = publish(world, tmp_path / "checkpoint")
    job = ask(world, manifest)
    with site(world) as here:
        serve(here, tmp_path / "generator")
    expected = generate(saving.load_model(tmp_path / "checkpoint"), Sampling.parse(REQUEST))
    assert (job.state, job.answer) == ("generated", expected)


def test_a_long_text_is_marked_and_says_so_and_a_short_one_says_that_it_is_not(
    tmp_path: Path,
) -> None:
    world = World()
    manifest = publish(world, tmp_path / "checkpoint")
    long = {"max_new_bytes": 240, "temperature": "2"}
    short, marked = ask(world, manifest), ask(world, manifest, **long)
    with site(world) as here:
        serve(here, tmp_path / "generator", Marks(key=key()))
    assert short.mark is None
    assert marked.mark == {"scheme": "tournament/v1", "key": key().id}
    assert count(marked.answer or "", [key()]).p_value < 1e-9


def test_a_program_without_the_key_marks_nothing_and_says_so(tmp_path: Path) -> None:
    world = World()
    job = ask(world, publish(world, tmp_path / "checkpoint"), max_new_bytes=240)
    with site(world) as here:
        serve(here, tmp_path / "generator")
    assert (job.state, job.mark) == ("generated", None)


DRAWING = {"prompt": "A", "size": 256, "seed": 7}


def publish_letters(world: World, folder: Path) -> Manifest:
    """A checkpoint that draws, after one step."""
    shape = PictureShape(side=32, channels=1, width=8, steps=2, labels=("A",))
    plan = Plan(title="A", shape=shape, steps=1, batch=2, seed=1)
    learnt = learning.learn(plan, letters.drawn(shape.labels, (), shape.side))
    manifest = learning.save(learnt, folder)
    for entry in manifest.files:
        world.blobs[entry.sha256] = (folder / entry.name).read_bytes()
    return manifest


def ask_for_a_picture(world: World, manifest: Manifest, **changes: object) -> Job:
    body = {"checkpoint": as_id(manifest.id), "files": manifest.to_json()["files"], **DRAWING}
    job = Job(id=f"job-{len(world.jobs) + 1}", body={**body, **changes})
    world.jobs.append(job)
    return job


def test_a_picture_is_drawn_marked_and_told_with_its_fingerprint(tmp_path: Path) -> None:
    world = World()
    manifest = publish_letters(world, tmp_path / "checkpoint")
    job = ask_for_a_picture(world, manifest)
    with site(world) as here:
        serve(here, tmp_path / "generator", Marks(key=key()))
    pixels = files.read(io.BytesIO(base64.b64decode(job.answer or "")))
    model = drawing.load_model(tmp_path / "checkpoint")
    again = drawing.draw(model, Drawing.parse(DRAWING), Marks(key=key()), as_id(manifest.id))
    assert np.array_equal(pixels[:, :, :1], again)
    assert job.mark == {"scheme": "tile/v1", "key": key().id}
    number = picturemark.payload(key(), {"checkpoint": as_id(manifest.id), **DRAWING})
    assert marking.find(pixels, [key()]).number == number
    assert len(str(job.fingerprint)) == 32


def test_a_picture_has_trustmarks_mark_too_where_its_networks_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "networks"
    monkeypatch.setattr(trustmark, "SHA256", networks.made(folder))
    world = World()
    manifest = publish_letters(world, tmp_path / "checkpoint")
    job = ask_for_a_picture(world, manifest)
    with site(world) as here:
        marks = Marks(key=key(), trustmark=Writer(folder))
        serve(here, tmp_path / "generator", marks)
    pixels = files.read(io.BytesIO(base64.b64decode(job.answer or "")))
    assert job.mark == {"scheme": "tile+trustmark-q/v1", "key": key().id}
    number = picturemark.payload(key(), {"checkpoint": as_id(manifest.id), **DRAWING})
    assert marking.find(pixels, [key()]).number == number
    found = Reader(folder).find(pixels, [key()])
    assert found is not None
    assert found.number == number


@pytest.mark.parametrize("draws", [False, True])
def test_a_model_of_the_other_kind_is_said(tmp_path: Path, draws: bool) -> None:
    world = World()
    if draws:
        job = ask(world, publish_letters(world, tmp_path / "checkpoint"))
    else:
        job = ask_for_a_picture(world, publish(world, tmp_path / "checkpoint"))
    with site(world) as here:
        serve(here, tmp_path / "generator", Marks(key=key()))
    assert job.state == "failed"
    assert "expected a model of" in (job.answer or "")


def test_only_what_generating_needs_is_downloaded(tmp_path: Path) -> None:
    world = World()
    manifest = publish(world, tmp_path / "checkpoint")
    ask(world, manifest)
    ask(world, manifest)
    with site(world) as here:
        serve(here, tmp_path / "generator")
        downloads = [each for each in here.server.requests if "blobs" in each]
    needed = [entry.sha256 for entry in manifest.files if entry.name in saving.INFERENCE_FILES]
    assert sorted(downloads) == sorted(f"GET /api/v1/blobs/sha256:{digest}" for digest in needed)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"checkpoint": as_id(sha256(b"another"))}, "checkpoint: expected files of sha256:"),
        ({"checkpoint": "newest"}, "expected sha256: and 64"),
        ({"temperature": "hot"}, "temperature: expected a decimal string"),
        ({"max_new_bytes": 10**9}, "max_new_bytes: expected an integer"),
        ({"prompt": ""}, "prompt: expected a string"),
        ({"files": []}, "files: expected 1 to"),
    ],
)
def test_a_request_that_makes_no_sense_fails_and_the_next_is_answered(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    world = World()
    manifest = publish(world, tmp_path / "checkpoint")
    bad, good = ask(world, manifest, **changes), ask(world, manifest)
    with site(world) as here:
        serve(here, tmp_path / "generator")
    assert bad.state == "failed"
    assert reason in (bad.answer or "")
    assert good.state == "generated"


def test_a_checkpoint_without_weights_fails_its_requests(tmp_path: Path) -> None:
    world = World()
    manifest = publish(world, tmp_path / "checkpoint")
    card_alone = Manifest(files=manifest.files[:1])
    job = ask(world, card_alone)
    with site(world) as here:
        serve(here, tmp_path / "generator")
    assert job.answer == "expected a file model.safetensors, found none"


def test_weights_of_another_digest_are_never_loaded(tmp_path: Path) -> None:
    world = World()
    job = ask(world, publish(world, tmp_path / "checkpoint"))
    with site(world) as here:
        here.server.faults.append(Fault(pattern="GET /api/v1/blobs", kind=Kind.CORRUPT, times=9))
        serve(here, tmp_path / "generator")
    assert job.state == "failed"
    assert "expected a blob sha256:" in (job.answer or "")


def test_a_file_of_another_size_than_listed_is_refused(tmp_path: Path) -> None:
    world = World()
    manifest = publish(world, tmp_path / "checkpoint")
    lying = Manifest(
        files=tuple(
            FileEntry(name=entry.name, sha256=entry.sha256, size=entry.size + 1)
            for entry in manifest.files
        )
    )
    job = ask(world, lying)
    with site(world) as here:
        serve(here, tmp_path / "generator")
    assert "bytes, received sha256:" in (job.answer or "")


def test_a_registry_that_is_away_for_a_moment_gets_its_answer(tmp_path: Path) -> None:
    world = World()
    job = ask(world, publish(world, tmp_path / "checkpoint"))
    with site(world) as here:
        for pattern in ("generation/lease", "GET /api/v1/blobs", "complete"):
            here.server.faults.append(Fault(pattern=pattern, kind=Kind.REFUSE, times=2))
        serve(here, tmp_path / "generator")
    assert job.state == "generated"


def test_an_answer_that_nobody_waits_for_any_more_stops_nothing(tmp_path: Path) -> None:
    world = World()
    manifest = publish(world, tmp_path / "checkpoint")
    late, next_one = ask(world, manifest), ask(world, manifest)
    with site(world) as here:
        here.server.faults.append(Fault(pattern="job-1/complete", kind=Kind.FORGET_TO_ANSWER))
        serve(here, tmp_path / "generator")
        assert "expected" not in world.misuses
        world.misuses.clear()  # the second delivery of what had arrived
    assert (late.state, next_one.state) == ("generated", "generated")


def test_a_registry_that_refuses_the_program_is_asked_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    answers = iter([{"detail": "no id in it"}, None])
    original = world.lease_job
    monkeypatch.setattr(world, "lease_job", lambda body: next(answers, None) or original(body))
    job = ask(world, publish(world, tmp_path / "checkpoint"))
    with site(world) as here:
        serve(here, tmp_path / "generator")
    assert job.state == "generated"


def test_a_few_checkpoints_are_kept_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "CHECKPOINTS_KEPT", 1)
    world = World()
    manifests = [publish(world, tmp_path / str(seed), seed) for seed in (1, 2)]
    with site(world) as here:
        cache = BlobCache(tmp_path / "blobs", here.client, here.patience)
        models = Models(tmp_path / "checkpoints", cache)
        for manifest in manifests:
            models.get(manifest)
    kept = [path.name for path in (tmp_path / "checkpoints").iterdir()]
    assert kept == [manifests[1].id]
    assert len(list((tmp_path / "blobs").iterdir())) == len(saving.INFERENCE_FILES)


def test_the_two_models_used_last_are_kept(tmp_path: Path) -> None:
    world = World()
    manifests = [publish(world, tmp_path / str(seed), seed) for seed in (1, 2, 3)]
    with site(world) as here:
        cache = BlobCache(tmp_path / "blobs", here.client, here.patience)
        models = Models(tmp_path / "checkpoints", cache)
        one, two = models.get(manifests[0]), models.get(manifests[1])
        assert models.get(manifests[0]) is one
        models.get(manifests[2])
        assert models.get(manifests[0]) is one
        assert models.get(manifests[1]) is not two
