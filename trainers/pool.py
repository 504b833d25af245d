# SPDX-License-Identifier: Apache-2.0
"""A node's conversation with the pool: lease a run, keep the lease, report losses, give it back.

Everything that a lease names by digest is checked against it here, before anything is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from assay.signing import canonical
from assay.signing.canonical import Obj, as_mapping, integer, items, mapping, sha256_hex, text
from assay.signing.client import ClientError, RegistryClient
from assay.signing.digests import parse_id, sha256
from assay.signing.manifest import Manifest
from assay.signing.statements import ConductReference

from .blobs import manifest_named
from .config import Recipe
from .errors import LeaseLost, WrongDigest
from .identity import Identity
from .loop import LossPoint
from .patience import Patience

MAX_POINTS = 1000  # in one report: docs/spec/http.md
LOSS_DIGITS = 4
LEASE_LOST = "lease-lost"  # the registry's own code for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The checkpoint that a run stands at."""

    step: int
    files: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is to be trained, on what, under which rules."""

    id: str
    project: str
    recipe: Recipe
    dataset: Manifest
    conduct: ConductReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A node's claim on a run."""

    id: str
    seconds: int
    """Without a heartbeat for this long, it is lost."""
    name_prefix: str
    """What its checkpoints' names begin with: a project's runs must not take one another's."""
    run: Run
    resume: Resume | None

    @classmethod
    def parse(cls, value: object) -> Lease:
        """Read the answer to a request for work."""
        obj = as_mapping(value, "lease")
        with canonical.within("run"):
            run = _run(mapping(obj, "run"))
        return cls(
            id=text(obj, "id"),
            seconds=integer(obj, "lease_seconds", minimum=1),
            name_prefix=_name_prefix(obj),
            run=run,
            resume=canonical.nullable(obj, "resume", _resume),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The pool as one node sees it."""

    client: RegistryClient
    identity: Identity
    patience: Patience

    def lease(self) -> Lease | None:
        """A run to work on, or None when there is nothing to do."""
        body = {"node": self.identity.id}
        answer = self.patience.until_answered(lambda: self.client.post_json("/api/v1/leases", body))
        return None if answer is None else Lease.parse(answer)

    def greet(self) -> None:
        """Say that this node is there and has nothing to do."""
        self.client.post_json(f"/api/v1/nodes/{self.identity.id}/heartbeat", {"state": "idle"})

    def check_conduct(self, conduct: ConductReference) -> str:
        """The title of the policy that a run is under, once its document has the named digest."""
        path = f"/api/v1/conduct/{conduct.id}/{conduct.version}"
        answer = as_mapping(
            self.patience.until_answered(lambda: self.client.get_json(path)), "conduct"
        )
        policy = mapping(answer, "policy")
        found = sha256(canonical.dumps(policy))
        if found != conduct.sha256:
            raise WrongDigest(
                f"conduct {conduct.id} {conduct.version}: expected sha256:{conduct.sha256}, "
                f"found sha256:{found}"
            )
        return text(policy, "title")

    def beat(self, lease: Lease, step: int) -> None:
        """Keep a lease; raises `LeaseLost` if it is another's by now."""
        answer = self._say(lease, "heartbeat", {"step": step})
        state = text(as_mapping(answer, "heartbeat"), "state")
        if state != "active":
            raise LeaseLost(f"lease {lease.id}: expected it active, found it {state}")

    def report(self, lease: Lease, points: Sequence[LossPoint]) -> None:
        """Send losses, at most `MAX_POINTS`."""
        self._say(lease, "losses", {"points": [_point(point) for point in points]})

    def complete(self, lease: Lease) -> None:
        """Say that the run's last step is done and published."""
        # Asked again after an answer that was lost, the lease has ended: the key says by whom.
        self.patience.until_answered(
            lambda: self._say(lease, "complete", {}, idempotency_key="complete")
        )

    def release(self, lease: Lease) -> None:
        """Give a lease back unfinished, so that another node may take it at once."""
        self._say(lease, "release", {})

    def _say(
        self,
        lease: Lease,
        what: str,
        body: dict[str, object],
        *,
        idempotency_key: str | None = None,
    ) -> object:
        try:
            return self.client.post_json(
                f"/api/v1/leases/{lease.id}/{what}", body, idempotency_key=idempotency_key
            )
        except ClientError as error:
            if error.problem == LEASE_LOST or error.status == HTTPStatus.NOT_FOUND:
                raise LeaseLost(f"lease {lease.id}: {error}") from error
            raise


def loss_text(loss: float) -> str:
    """A loss as documents carry it: nats per byte, in decimal."""
    return f"{loss:.{LOSS_DIGITS}f}"


def _point(point: LossPoint) -> dict[str, object]:
    document: dict[str, object] = {
        "step": point.step,
        "bytes_seen": point.bytes_seen,
        "train": loss_text(point.train),
        "seconds": f"{point.seconds:.1f}",
    }
    if point.validation is not None:
        document["validation"] = loss_text(point.validation)
    return document


def _name_prefix(obj: Obj) -> str:
    """Empty for a project's first run."""
    return "" if obj.get("name_prefix") == "" else text(obj, "name_prefix")


def _run(obj: Obj) -> Run:
    with canonical.within("dataset"):
        listed = mapping(obj, "dataset")
        dataset = manifest_named(_digest(listed, "sha256"), items(listed, "files"), "dataset")
    with canonical.within("recipe"):
        recipe = Recipe.parse(mapping(obj, "recipe"))
    return Run(
        id=text(obj, "id"),
        project=text(obj, "project"),
        recipe=recipe,
        dataset=dataset,
        conduct=ConductReference.parse(obj, "conduct"),
    )


def _resume(obj: Obj, field: str) -> Resume:
    inner = mapping(obj, field)
    with canonical.within(field):
        digest = _digest(inner, "checkpoint")
        return Resume(
            step=integer(inner, "step", minimum=1),
            files=manifest_named(digest, items(inner, "files"), "checkpoint"),
        )


def _digest(obj: Obj, field: str) -> str:
    """A digest, bare as in documents or with the prefix of a printed id."""
    value = text(obj, field)
    return parse_id(value) if value.startswith("sha256:") else sha256_hex(obj, field)
