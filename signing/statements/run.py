# SPDX-License-Identifier: Apache-2.0
"""The claim that a node made a checkpoint in a run; the node signs it itself."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from .. import canonical
from ..canonical import Obj
from ..values import dataclass
from .references import ConductReference, as_reference, decimal, reference
from .statement import RUN_V1, Statement, Subject, predicate_of, same

_FIELDS = (
    "run",
    "node",
    "step",
    "recipe",
    "dataset",
    "conduct",
    "parent",
    "bytes_seen",
    "losses",
    "software",
    "hardware",
    "started_at",
    "finished_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunClaim:
    """A node made this checkpoint in this run, from this dataset, by this recipe."""

    manifest_sha256: str
    run: str
    node: str
    step: int
    recipe: Obj
    dataset_sha256: str
    conduct: ConductReference
    parent_sha256: str | None
    """The checkpoint that it continued from."""
    bytes_seen: int
    train_loss: str
    """Nats per byte, in decimal."""
    validation_loss: str
    software: Obj
    hardware: Obj
    started_at: datetime
    finished_at: datetime

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(statement, RUN_V1, *_FIELDS)
        losses = canonical.mapping(predicate, "losses")
        with canonical.within("losses"):
            canonical.only(losses, "train", "validation")
            train_loss, validation_loss = decimal(losses, "train"), decimal(losses, "validation")
        claim = cls(
            manifest_sha256=statement.subjects[0].sha256,
            run=canonical.text(predicate, "run"),
            node=canonical.text(predicate, "node"),
            step=canonical.integer(predicate, "step"),
            recipe=canonical.mapping(predicate, "recipe"),
            dataset_sha256=reference(predicate, "dataset"),
            conduct=ConductReference.parse(predicate, "conduct"),
            parent_sha256=canonical.nullable(predicate, "parent", reference),
            bytes_seen=canonical.integer(predicate, "bytes_seen"),
            train_loss=train_loss,
            validation_loss=validation_loss,
            software=canonical.mapping(predicate, "software"),
            hardware=canonical.mapping(predicate, "hardware"),
            started_at=canonical.instant(predicate, "started_at"),
            finished_at=canonical.instant(predicate, "finished_at"),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(Subject(name="checkpoint", sha256=self.manifest_sha256),),
            predicate_type=RUN_V1,
            predicate={
                "run": self.run,
                "node": self.node,
                "step": self.step,
                "recipe": self.recipe,
                "dataset": {"sha256": self.dataset_sha256},
                "conduct": self.conduct.to_json(),
                "parent": as_reference(self.parent_sha256),
                "bytes_seen": self.bytes_seen,
                "losses": {"train": self.train_loss, "validation": self.validation_loss},
                "software": self.software,
                "hardware": self.hardware,
                "started_at": canonical.instant_text(self.started_at),
                "finished_at": canonical.instant_text(self.finished_at),
            },
        )
