# SPDX-License-Identifier: Apache-2.0
"""The claim that a registry published files as a checkpoint of a project.

Version 2 names the tensors in its files besides; of files that have none there is version 1 alone.
"""

from __future__ import annotations

from typing import Self

from .. import canonical
from ..canonical import Obj
from ..values import dataclass
from .references import ConductReference, ListReference, as_reference, owned, reference
from .statement import CHECKPOINT_V1, CHECKPOINT_V2, Statement, Subject, predicate_of, same

_FIELDS = ("registry", "project", "name", "step", "oms", "run", "dataset", "conduct")
_TENSORS = "tensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReference:
    """The run that made a checkpoint, and the digest of the node's statement about it."""

    id: str
    statement_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointClaim:
    """A registry published these files as a checkpoint of a project, under this conduct."""

    manifest_sha256: str
    registry: str
    project: str
    """`owner/project`."""
    name: str
    step: int | None
    """None for a checkpoint that was not made by a run."""
    oms_sha256: str
    run: RunReference | None
    dataset_sha256: str | None
    conduct: ConductReference
    tensors: ListReference | None = None
    """Of a `tensors.TensorList`; None in version 1, which names no tensors."""

    @property
    def owner(self) -> str:
        """The name of the project's owner."""
        return self.project.partition("/")[0]

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        has_tensors = statement.predicate_type == CHECKPOINT_V2
        if has_tensors:
            predicate = predicate_of(statement, CHECKPOINT_V2, *_FIELDS, _TENSORS)
        else:
            predicate = predicate_of(statement, CHECKPOINT_V1, *_FIELDS)
        claim = cls(
            manifest_sha256=statement.subjects[0].sha256,
            registry=canonical.text(predicate, "registry"),
            project=owned(predicate, "project"),
            name=canonical.text(predicate, "name"),
            step=canonical.nullable(predicate, "step", canonical.integer),
            oms_sha256=reference(predicate, "oms"),
            run=canonical.nullable(predicate, "run", _run_reference),
            dataset_sha256=canonical.nullable(predicate, "dataset", reference),
            conduct=ConductReference.parse(predicate, "conduct"),
            tensors=ListReference.parse(predicate, _TENSORS) if has_tensors else None,
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        run, tensors = self.run, self.tensors
        named: Obj = {} if tensors is None else {_TENSORS: tensors.to_json()}
        return Statement(
            subjects=(Subject(name=f"{self.project}@{self.name}", sha256=self.manifest_sha256),),
            predicate_type=CHECKPOINT_V2 if named else CHECKPOINT_V1,
            predicate={
                "registry": self.registry,
                "project": self.project,
                "name": self.name,
                "step": self.step,
                "oms": {"sha256": self.oms_sha256},
                "run": run and {"id": run.id, "statement": {"sha256": run.statement_sha256}},
                "dataset": as_reference(self.dataset_sha256),
                "conduct": self.conduct.to_json(),
                **named,
            },
        )


def _run_reference(obj: Obj, field: str) -> RunReference:
    run = canonical.mapping(obj, field)
    with canonical.within(field):
        canonical.only(run, "id", "statement")
        return RunReference(
            id=canonical.text(run, "id"), statement_sha256=reference(run, "statement")
        )
