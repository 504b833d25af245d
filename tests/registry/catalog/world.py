# SPDX-License-Identifier: Apache-2.0
"""A small world for publishing: a lab in good standing, a project, a data set, a node."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_csr

from assay.signing import certificates, envelope
from assay.signing.keys import SoftwareKey
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import RunClaim
from registry.accounts import services as accounts
from registry.accounts.models import Namespace, Node, User
from registry.accounts.nodes import CertificateRequest
from registry.authority import services as authority
from registry.catalog import services
from registry.catalog.models import Checkpoint, Dataset, Project
from registry.catalog.queries import UNDERWAY
from registry.catalog.services import NewProject, Origin, RunEvidence, Submission
from registry.conduct import queries as conduct_queries
from registry.conduct import services as conduct
from registry.conduct.models import PolicyVersion
from registry.storage import services as storage
from tests.registry.catalog.weights import weights
from tests.registry.conduct.published import first_version
from tests.registry.people import People, invite
from tests.until import until

RUN_ID = "3f0c8f7e-0f43-4a53-b0a5-9f5d3c1f6a10"
RECIPE: Mapping[str, object] = {"trainer": "byte-gpt/v1", "schedule": {"steps": 100}}
STARTED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CARD = b"# A small model\n\nIt writes *code*.\n"
FILES: Mapping[str, bytes] = {
    "README.md": CARD,
    "config.json": json.dumps({"layers": 4, "eps": 1e-6}).encode(),
    "model.safetensors": weights(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everybody and everything that a publish needs."""

    people: People
    lab: Namespace
    conduct: PolicyVersion
    project: Project
    dataset: Dataset
    node: Node
    key: SoftwareKey


def built(folder: Path) -> World:
    """A lab in good standing with a project, a data set and a node: `world = kept(built)`."""
    return build(invite(), folder / "texts")


def build(people: People, folder: Path) -> World:
    """Alice's lab accepts the conduct, makes a project and a data set; Bob's machine joins."""
    lab = people.lab.namespace
    conduct_version = first_version()
    conduct.accept(conduct_version, lab, people.alice)
    node, key = join(people.bob)
    return World(
        people=people,
        lab=lab,
        conduct=conduct_version,
        project=project(lab, conduct_version, people.alice),
        dataset=services.add_dataset(lab, "texts", texts(folder)),
        node=node,
        key=key,
    )


def project(owner: Namespace, version: PolicyVersion, by: User, name: str = "small") -> Project:
    """A project."""
    new = NewProject(
        owner=owner, name=name, title="A small model", summary="It is small.", conduct=version
    )
    return services.create_project(new, by)


def accept(world: World, person: User) -> None:
    """They are in good standing under the project's rules."""
    conduct.accept(world.conduct, person.namespace, person)


def texts(folder: Path) -> Origin:
    """A folder of two texts, and where it comes from."""
    folder.mkdir(exist_ok=True)
    (folder / "a.txt").write_text("Some text.\n")
    (folder / "b.txt").write_text("More text.\n")
    return Origin(folder=folder, title="Texts", source="a test", license="CC0-1.0")


def join(owner: User, name: str = "box") -> tuple[Node, SoftwareKey]:
    """A certified machine and its key."""
    key = SoftwareKey.generate()
    csr = request(key)
    node = accounts.join_node(owner, name, csr, {"cpu": "x"})
    version = first_version()
    conduct.accept(version, owner.namespace, owner)
    authority.certify_node(node, csr)
    node.refresh_from_db()
    return node, key


def request(key: SoftwareKey) -> CertificateRequest:
    """A request that proves possession of the key."""
    der = certificates.request(key, subject="a node")
    pem = load_der_x509_csr(der).public_bytes(Encoding.PEM)
    return CertificateRequest.parse(pem.decode())


def upload(files: Mapping[str, bytes], holder: str) -> Manifest:
    """The files as blobs of this holder, and their manifest."""
    entries = []
    for name, content in files.items():
        blob = storage.store(content, holder=holder)
        entries.append(FileEntry(name=name, sha256=blob.sha256, size=len(content)))
    return Manifest.of(entries)


def by_person(
    world: World, name: str = "first", files: Mapping[str, bytes] = FILES, user: User | None = None
) -> Submission:
    """What a person hands in, all of it uploaded."""
    publisher = user or world.people.alice
    return Submission(
        user=publisher,
        project=world.project,
        name=name,
        step=None,
        manifest=upload(files, publisher.actor),
    )


def claim(world: World, manifest: Manifest, step: int = 10) -> RunClaim:
    """What an honest node says."""
    return RunClaim(
        manifest_sha256=manifest.id,
        run=RUN_ID,
        node=str(world.node.pk),
        step=step,
        recipe=RECIPE,
        dataset_sha256=world.dataset.sha256,
        conduct=conduct_queries.reference(world.conduct),
        parent_sha256=None,
        bytes_seen=1000 * step,
        train_loss="2.5",
        validation_loss="2.61",
        software={"torch": "2.13.0"},
        hardware={"cpu": "x"},
        started_at=STARTED,
        finished_at=STARTED.replace(hour=10),
    )


def by_node(
    world: World,
    step: int = 10,
    *,
    files: Mapping[str, bytes] | None = None,
    said: RunClaim | None = None,
    key: SoftwareKey | None = None,
) -> Submission:
    """What a node hands in; a test may have it say something else, or sign with another key."""
    content = files or {**FILES, "step.txt": b"%d\n" % step}
    manifest = upload(content, world.node.owner.actor)
    statement = (said or claim(world, manifest, step)).statement()
    run = RunEvidence(
        run_id=RUN_ID,
        node=world.node,
        recipe=RECIPE,
        dataset=world.dataset,
        conduct=world.conduct,
        envelope=envelope.sign(statement.canonical(), key or world.key),
    )
    return Submission(
        user=world.node.owner,
        project=world.project,
        name=f"step-{step:06d}",
        step=step,
        manifest=manifest,
        run=run,
    )


def publish(submission: Submission) -> Checkpoint:
    """All the way; where a worker is at it too, whoever claims it first."""
    received = services.receive(submission)
    until(lambda: services.advance(received.pk).state not in UNDERWAY)
    return services.advance(received.pk)


def changed(submission: Submission, **values: object) -> Submission:
    """The same, but for these fields."""
    return replace(submission, **values)  # type: ignore[arg-type]  # the caller names its fields
