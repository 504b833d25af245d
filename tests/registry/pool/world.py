# SPDX-License-Identifier: Apache-2.0
"""A lab with a project, a dataset and a run, and machines that train it without any torch.

In a lab that is `found`, everything but the weights is real: the authority, the ledger, the node's
key and its statements. One that is `on_paper` has only rows, and serves where nothing is signed.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from django.utils import timezone
from rest_framework.test import APIClient

from assay.signing import envelope
from assay.signing.digests import sha256
from assay.signing.keys import SoftwareKey
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import RunClaim
from registry.accounts.models import Namespace, Node, User
from registry.catalog import queries as catalog_queries
from registry.catalog import services as catalog
from registry.catalog.models import Checkpoint, Dataset, Project, State
from registry.conduct import queries as conduct_queries
from registry.conduct import services as conduct
from registry.conduct.models import Acceptance, Policy, PolicyVersion
from registry.ledger.models import Entry, Statement
from registry.pool import services
from registry.pool.models import Lease, LeaseState, Run
from registry.storage import services as storage
from tests.registry.conduct.published import first_version
from tests.registry.people import People, client_of
from tests.until import until

STEPS = 40
RECIPE: dict[str, Any] = {
    "trainer": "byte-gpt/v1",
    "model": {"layers": 4, "width": 192, "heads": 6, "context_bytes": 256},
    "data": {"validation_one_in": 20},
    "batch": {"sequences": 16, "accumulate": 1},
    "schedule": {"steps": STEPS, "warmup_steps": 4, "cooldown_steps": 10},
    "optimizer": {
        "muon_rate": "0.02",
        "adamw_rate": "0.003",
        "weight_decay": "0.01",
        "clip_norm": "1.0",
    },
    "checkpoint_every_steps": 20,
    "validate_every_steps": 10,
    "seed": 1337,
    "sample": {"prompt": "def ", "max_new_bytes": 240, "temperature": "0.7", "seed": 7},
}
TEXTS = {"ast.py": "import sys\n", "json/decoder.py": "import re\n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """What everybody in it starts from."""

    people: People
    version: PolicyVersion
    project: Project
    dataset: Dataset
    run: Run
    is_on_paper: bool = False

    def accept(self, user: User) -> None:
        """The person accepts the conduct, for themselves."""
        if self.is_on_paper:
            self.accept_as(user.namespace)
        else:
            conduct.accept(self.version, user.namespace, user)

    def accept_as(self, party: Namespace) -> None:
        """A row that says so, without a signature."""
        Acceptance.objects.create(
            version=self.version,
            party=party,
            by=self.people.alice,
            salt=secrets.token_bytes(32),
            statement=self.version.statement,
            accepted_at=timezone.now(),
        )

    def withdraw(self, user: User) -> None:
        """And takes it back."""
        conduct.withdraw(self.version, user.namespace, user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A node with its key, and the client it speaks with."""

    node: Node
    key: SoftwareKey
    client: APIClient


def found(people: People) -> Lab:
    """The lab and Alice have accepted; Bob is a member and has too; Charlie is a stranger."""
    version = first_version()
    for party, by in (
        (people.lab.namespace, people.alice),
        (people.alice.namespace, people.alice),
        (people.bob.namespace, people.bob),
    ):
        conduct.accept(version, party, by)
    project = catalog.create_project(
        catalog.NewProject(
            owner=people.lab.namespace, name="tiny", title="Tiny", summary="", conduct=version
        ),
        people.alice,
    )
    dataset = catalog.add_dataset(people.lab.namespace, "texts", _origin())
    run = services.create_run(project, RECIPE, dataset, people.alice)
    return Lab(people=people, version=version, project=project, dataset=dataset, run=run)


def on_paper(people: People) -> Lab:
    """The same lab as rows alone, for what neither signs nor verifies: no authority is asked."""
    body = secrets.token_bytes(32)
    entry = Entry.objects.create(index=0, body=body, leaf_hash=body.hex())
    statement = Statement.objects.create(sha256=body.hex(), entry=entry)
    policy = Policy.objects.create(id="community-language-models")
    version = PolicyVersion.objects.create(
        policy=policy,
        version="1.0",
        document={},
        sha256=body.hex(),
        effective_at=timezone.now(),
        statement=statement,
    )
    lab = Lab(
        people=people,
        version=version,
        project=Project.objects.create(
            owner=people.lab.namespace, name="tiny", title="Tiny", conduct=version
        ),
        dataset=Dataset.objects.create(
            owner=people.lab.namespace,
            name="texts",
            sha256=body.hex(),
            manifest={"files": []},
            statement=statement,
        ),
        run=Run(),
        is_on_paper=True,
    )
    for party in (people.lab.namespace, people.alice.namespace, people.bob.namespace):
        lab.accept_as(party)
    run = services.create_run(lab.project, RECIPE, lab.dataset, people.alice)
    return replace(lab, run=run)


def paper_machine(owner: User, name: str = "attic") -> Machine:
    """A machine whose key nobody certified: it can do all but publish."""
    key = SoftwareKey.generate()
    spki = key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    node = Node.objects.create(name=name, owner=owner, public_key_sha256=sha256(spki))
    return Machine(node=node, key=key, client=client_of(owner, "node"))


def paper_checkpoint(
    lab: Lab,
    step: int,
    *,
    state: State = State.PUBLISHED,
    without: str = "",
    is_by_hand: bool = False,
) -> Checkpoint:
    """A checkpoint that the publish machine never saw, and no blob stands behind."""
    is_published = state == State.PUBLISHED
    manifest = Manifest.of(
        FileEntry(name=name, sha256=sha256(content), size=len(content))
        for name, content in weights(step).items()
        if name != without
    )
    return Checkpoint.objects.create(
        project=lab.project,
        conduct=lab.version,
        name=f"step-{step:06d}",
        step=step,
        manifest_sha256=manifest.id,
        manifest=manifest.to_json(),
        size_bytes=manifest.size_bytes,
        state=state,
        publisher=lab.people.bob,
        run_id=None if is_by_hand else str(lab.run.id),
        dataset=lab.dataset,
        statement=lab.version.statement,
        oms_statement=lab.version.statement,
        published_at=timezone.now() if is_published else None,
    )


def join(user: User, name: str = "attic") -> Machine:
    """A machine of this person joins the pool."""
    key = SoftwareKey.generate()
    asked = {"name": name, "csr": csr_of(key), "hardware": {"cpu": "two cores"}}
    joined = services.join(services.Joining.parse(asked), by=user, now=timezone.now())
    return Machine(node=joined.node, key=key, client=client_of(user, "node"))


def csr_of(key: SoftwareKey, name: str = "attic") -> str:
    """A request that proves possession of the key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key.private, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def weights(step: int) -> dict[str, bytes]:
    """A checkpoint's files: the right formats, and weights that nobody trained."""
    data = step.to_bytes(4, "little")
    tensors = {"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    header = json.dumps(tensors).encode()
    return {
        "README.md": f"# Tiny at step {step}\n".encode(),
        "config.json": b'{"layers": 4}\n',
        "model.safetensors": len(header).to_bytes(8, "little") + header + data,
    }


def upload(user: User, files: Mapping[str, bytes]) -> Manifest:
    """Stores a checkpoint's files for this person."""
    return Manifest.of(
        FileEntry(
            name=name,
            sha256=storage.store(content, holder=user.actor).sha256,
            size=len(content),
        )
        for name, content in files.items()
    )


def claim_of(
    lab: Lab, machine: Machine, manifest: Manifest, step: int, /, **other: object
) -> RunClaim:
    """What the machine states of a checkpoint."""
    now = datetime.now(UTC).replace(microsecond=0)
    said: dict[str, Any] = {
        "manifest_sha256": manifest.id,
        "run": str(lab.run.id),
        "node": str(machine.node.id),
        "step": step,
        "recipe": lab.run.recipe,
        "dataset_sha256": lab.dataset.sha256,
        "conduct": conduct_queries.reference(lab.version),
        "parent_sha256": None,
        "bytes_seen": step * 4096,
        "train_loss": "2.5000",
        "validation_loss": "2.6000",
        "software": {"python": "3.11"},
        "hardware": {"cpu": "two cores"},
        "started_at": now - timedelta(minutes=1),
        "finished_at": now,
    }
    said.update(other)
    return RunClaim(**said)


def submission(lab: Lab, machine: Machine, step: int, /, **other: object) -> dict[str, Any]:
    """The body that publishes a checkpoint of this step, whose files are uploaded."""
    manifest = upload(machine.node.owner, weights(step))
    claim = claim_of(lab, machine, manifest, step, **other)
    signed = envelope.sign(claim.statement().canonical(), machine.key)
    return {
        "name": f"step-{step:06d}",
        "step": step,
        "manifest": manifest.to_json(),
        "statement": signed.to_json(),
    }


def publish(lab: Lab, machine: Machine, lease: Lease, step: int, /, **other: object) -> Checkpoint:
    """A checkpoint of the run, all the way through the publish machine."""
    submitted = services.Submitted.parse(submission(lab, machine, step, **other))
    by = machine.node.owner
    received = services.submit(lease.id, submitted, by=by, now=timezone.now())
    catalog.advance(received.pk)
    return seen(received)


def seen(checkpoint: Checkpoint) -> Checkpoint:
    """As everybody sees it; beside a live worker it may be the worker that publishes."""
    until(lambda: catalog_queries.published(checkpoint.manifest_sha256))
    published = catalog_queries.published(checkpoint.manifest_sha256)
    assert published is not None
    return published


def active_lease(run: Run) -> Lease:
    """The lease under which the run is being trained."""
    return Lease.objects.get(run=run, state=LeaseState.ACTIVE)


def refused(machine: Machine, lease: Lease, asked: Mapping[str, object]) -> tuple[int, str]:
    """Status and code of a refusal to publish, which changed nothing."""
    statements = Statement.objects.count()
    answer = machine.client.post(f"/api/v1/leases/{lease.id}/checkpoints", asked)
    assert answer["Content-Type"] == "application/problem+json"
    assert Checkpoint.objects.count() == 0
    assert Statement.objects.count() == statements
    assert Run.objects.get().step == 0
    return answer.status_code, answer.json()["code"]


def _origin() -> catalog.Origin:
    folder = Path(tempfile.mkdtemp(prefix="texts-", dir=os.environ["ASSAY_DATA_DIR"]))
    for name, content in TEXTS.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return catalog.Origin(
        folder=folder, title="Two texts", source="Written for this test", license="CC0-1.0"
    )
