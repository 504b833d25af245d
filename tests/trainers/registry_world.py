# SPDX-License-Identifier: Apache-2.0
"""A strict fake registry for trainers: its rules and its memory, behind real HTTP on loopback.

It keeps docs/spec/http.md to the letter where a trainer touches it. Whatever a trainer does against
the rules is answered as the registry would and noted in `misuses`, which fails the test; faults
(`Fault`) are the registry's own and are scripted by the test.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import canonical, certificates, treehead
from assay.signing.canonical import as_mapping, integer, items, mapping, text
from assay.signing.certificates import Issuer, Purpose
from assay.signing.digests import as_id, sha256
from assay.signing.envelope import Envelope
from assay.signing.keys import Curve, PublicKey, SoftwareKey
from assay.signing.manifest import Manifest
from assay.signing.statements import ConductReference, RunClaim, Statement
from assay.signing.trust import TrustRoot
from tests.signing import leaves

TOKEN = "assay_a-token-of-alice"
POLICY: dict[str, object] = {"id": "kind", "title": "Be kind", "version": "1.0"}
CONDUCT = ConductReference(id="kind", version="1.0", sha256=sha256(canonical.dumps(POLICY)))
RUN = "run-1"


class Refusal(Exception):
    """What the registry answers with a problem."""

    def __init__(self, status: int, code: str, detail: str, *, is_misuse: bool = True) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.is_misuse = is_misuse


@dataclass(kw_only=True)
class Lease:
    """A lease as the registry remembers it."""

    id: str
    node: str
    resume: str | None
    state: str = "active"
    beats: list[int] = field(default_factory=list)


@dataclass(kw_only=True)
class Checkpoint:
    """A submitted checkpoint."""

    name: str
    step: int
    manifest: Manifest
    claim: RunClaim
    polls_left: int


@dataclass(kw_only=True)
class Job:
    """A request for text, and what became of it."""

    id: str
    body: dict[str, object]
    state: str = "queued"
    answer: str | None = None
    mark: object = None
    fingerprint: object = None


class World:
    """One registry with one run at most."""

    def __init__(
        self, *, recipe: Mapping[str, object] | None = None, at: datetime | None = None
    ) -> None:
        self.url = ""
        self.misuses: list[str] = []
        self.lock = threading.RLock()
        self.recipe = recipe
        self.dataset: Manifest | None = None
        self.conduct = CONDUCT
        self.policy = POLICY
        self.blobs: dict[str, bytes] = {}
        self.nodes: dict[str, PublicKey] = {}
        self.leases: list[Lease] = []
        self.checkpoints: list[Checkpoint] = []
        self.verdict = "published"
        self.polls_until_published = 1
        self.name_prefix = ""
        self.losses: dict[int, dict[str, object]] = {}
        self.is_complete = False
        self.jobs: list[Job] = []
        self.answers: dict[str, tuple[str, tuple[int, object]]] = {}
        self._make_authority(at or datetime.now(UTC))

    def _make_authority(self, at: datetime) -> None:
        root_key = SoftwareKey.generate(Curve.P384)
        self.root = certificates.root(root_key, name="A root of tests", at=at)
        key = SoftwareKey.generate()
        issuer = Issuer(certificate=self.root, key=root_key)
        made = certificates.intermediate(Purpose.NODE, key.public_key, issuer=issuer, at=at)
        self.issuer = Issuer(certificate=made, key=key)

    def hold(self, manifest: Manifest, contents: Mapping[str, bytes]) -> None:
        """Store a dataset's files and make it the run's."""
        self.dataset = manifest
        self.blobs |= {entry.sha256: contents[entry.name] for entry in manifest.files}

    @property
    def published(self) -> list[Checkpoint]:
        """The checkpoints that anyone can see, in order."""
        if self.verdict != "published":
            return []
        return [found for found in self.checkpoints if found.polls_left <= 0]

    def trust_root(self) -> object:
        ledger = SoftwareKey.generate(Curve.ED25519)
        verifier = treehead.vkey("tests/ledger", ledger.public_key)
        root = TrustRoot(
            registry=self.url,
            root=self.root,
            origin="tests/ledger",
            verifier=verifier,
            certificate_log=SoftwareKey.generate().public_key,
        )
        return root.to_json()

    def show_conduct(self, path: str) -> object:
        self.expect(path == f"{self.conduct.id}/{self.conduct.version}", "an unknown policy")
        return {**self.conduct.to_json(), "policy": self.policy, "text": "…"}

    def join(self, body: Mapping[str, object]) -> object:
        csr = x509.load_pem_x509_csr(text(body, "csr", max_characters=16_384).encode())
        key = certificates.key_of_request(csr.public_bytes(Encoding.DER))
        self.expect(bool(mapping(body, "hardware")), "a node without hardware")
        found = [name for name, known in self.nodes.items() if known == key]
        name = found[0] if found else f"node-{len(self.nodes) + 1}"
        self.nodes[name] = key
        uri = f"{self.url}/nodes/{name}"
        leaf = leaves.leaf(Purpose.NODE, key, subject=uri, issuer=self.issuer, at=datetime.now(UTC))
        chain = [one.public_bytes(Encoding.PEM).decode() for one in (leaf, self.issuer.certificate)]
        return {"id": name, "uri": uri, "chain": chain}

    def greet(self, node: str, body: Mapping[str, object]) -> object:
        self.expect(node in self.nodes, f"a greeting of {node}, which never joined")
        canonical.only(body, "state")
        return {"state": text(body, "state")}

    def lease(self, body: Mapping[str, object]) -> object | None:
        node = text(body, "node")
        self.expect(node in self.nodes, f"a lease for {node}, which never joined")
        for lease in self.leases:
            if lease.state == "active" and lease.node == node:
                lease.state = "lost"
        is_taken = any(lease.state == "active" for lease in self.leases)
        if self.recipe is None or self.dataset is None or is_taken or self.is_complete:
            return None
        newest = self.published[-1] if self.published else None
        resume = newest.manifest.id if newest else None
        lease = Lease(id=f"lease-{len(self.leases) + 1}", node=node, resume=resume)
        self.leases.append(lease)
        return {
            "id": lease.id,
            "expires_at": "2026-11-20T10:00:00Z",
            "lease_seconds": 4,
            "name_prefix": self.name_prefix,
            "run": {
                "id": RUN,
                "project": "alice/code",
                "recipe": self.recipe,
                "dataset": {"sha256": self.dataset.id, "files": self.dataset.to_json()["files"]},
                "conduct": self.conduct.to_json(),
            },
            "resume": newest
            and {
                "checkpoint": as_id(newest.manifest.id),
                "step": newest.step,
                "files": newest.manifest.to_json()["files"],
            },
        }

    def beat(self, lease_id: str, body: Mapping[str, object]) -> object:
        lease = next(lease for lease in self.leases if lease.id == lease_id)
        lease.beats.append(integer(body, "step"))
        return {"state": lease.state, "expires_at": "2026-11-20T10:00:00Z"}

    def take_losses(self, lease_id: str, body: Mapping[str, object]) -> None:
        self._active(lease_id)
        points = [as_mapping(value, "point") for value in items(body, "points", maximum=1000)]
        steps = [integer(point, "step", minimum=1) for point in points]
        self.expect(steps == sorted(set(steps)) != [], f"points out of order: {steps}")
        for step, point in zip(steps, points, strict=True):
            canonical.only(point, "step", "bytes_seen", "train", "validation", "seconds")
            integer(point, "bytes_seen", minimum=1)
            float(text(point, "train")), float(text(point, "seconds"))
            self.losses[step] = dict(point)

    def submit(self, lease_id: str, body: Mapping[str, object]) -> object:
        """Take a checkpoint, with every check that its statement makes possible."""
        lease = self._active(lease_id)
        manifest = Manifest.parse(mapping(body, "manifest"))
        if any(manifest.id == known.manifest.id for known in self.checkpoints):
            detail = "this checkpoint was submitted before"
            raise Refusal(409, "checkpoint-exists", detail, is_misuse=False)
        for entry in manifest.files:
            self.expect(entry.sha256 in self.blobs, f"{entry.name} was never uploaded")
        envelope = Envelope.parse(mapping(body, "statement"))
        envelope.verify(self.nodes[lease.node])
        claim = RunClaim.parse(Statement.parse(envelope.payload))
        parent = self.checkpoints[-1].manifest.id if self.checkpoints else None
        step = integer(body, "step", minimum=1)
        self.expect(
            self.dataset is not None
            and claim.manifest_sha256 == manifest.id
            and (claim.run, claim.node, claim.step) == (RUN, lease.node, step)
            and claim.recipe == self.recipe
            and claim.dataset_sha256 == self.dataset.id
            and claim.conduct == self.conduct
            and claim.parent_sha256 == parent
            and claim.started_at <= claim.finished_at,
            f"a statement of something else: {claim}",
        )
        name = text(body, "name")
        self.expect(name not in {known.name for known in self.checkpoints}, f"{name} again")
        checkpoint = Checkpoint(
            name=name,
            step=step,
            manifest=manifest,
            claim=claim,
            polls_left=self.polls_until_published,
        )
        self.checkpoints.append(checkpoint)
        return {"id": as_id(manifest.id), "state": "received", "url": f"{self.url}/{name}"}

    def show_checkpoint(self, identifier: str) -> object:
        for checkpoint in self.checkpoints:
            if as_id(checkpoint.manifest.id) == identifier:
                checkpoint.polls_left -= 1
                state = "received" if checkpoint.polls_left > 0 else self.verdict
                return {"id": identifier, "state": state, "run": RUN}
        raise Refusal(404, "not-found", "no such checkpoint", is_misuse=False)

    def end(self, lease_id: str, *, is_complete: bool) -> None:
        lease = self._active(lease_id)
        if is_complete:
            steps = integer(mapping(self.recipe or {}, "schedule"), "steps")
            last = self.published[-1].step if self.published else 0
            self.expect(last == steps, f"complete at step {last} of {steps}")
            self.is_complete = True
        lease.state = "completed" if is_complete else "released"

    def lease_job(self, body: Mapping[str, object]) -> object | None:
        self.expect(bool(text(body, "node")), "a generator without a name")
        for job in self.jobs:
            if job.state == "queued":
                job.state = "leased"
                return {"id": job.id, **job.body}
        return None

    def end_job(self, job_id: str, what: str, body: Mapping[str, object]) -> None:
        job = next(job for job in self.jobs if job.id == job_id)
        self.expect(job.state == "leased", f"{job_id} is {job.state}")
        job.state = "generated" if what == "complete" else "failed"
        is_picture = what == "complete" and "size" in job.body
        field_name = ("picture" if is_picture else "text") if what == "complete" else "reason"
        also = ("mark", "fingerprint") if is_picture else ("mark",)
        canonical.only(body, field_name, *(also if what == "complete" else ()))
        answer, job.mark = body[field_name], body.get("mark")
        job.fingerprint = body.get("fingerprint")
        assert isinstance(answer, str)
        job.answer = answer

    def expect(self, is_so: object, otherwise: str) -> None:
        if not is_so:
            raise Refusal(422, "misuse", otherwise)

    def _active(self, lease_id: str) -> Lease:
        for lease in self.leases:
            if lease.id == lease_id:
                if lease.state != "active":
                    detail = f"{lease_id} is {lease.state}"
                    raise Refusal(409, "lease-lost", detail, is_misuse=False)
                return lease
        raise Refusal(404, "not-found", f"no lease {lease_id}")
