# SPDX-License-Identifier: Apache-2.0
"""The claim that files are a dataset of a stated origin and licence."""

from __future__ import annotations

from typing import Self

from .. import canonical
from ..values import dataclass
from .references import owned
from .statement import DATASET_V1, Statement, Subject, predicate_of, same


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetClaim:
    """These files are a dataset of this origin and licence."""

    manifest_sha256: str
    name: str
    """`owner/name`."""
    title: str
    source: str
    license: str
    """An SPDX expression."""
    files: int
    bytes: int

    @property
    def owner(self) -> str:
        """The name of the dataset's owner."""
        return self.name.partition("/")[0]

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(
            statement, DATASET_V1, "title", "source", "license", "files", "bytes"
        )
        subject = statement.subjects[0]
        claim = cls(
            manifest_sha256=subject.sha256,
            name=owned({"name": subject.name}, "name"),
            title=canonical.text(predicate, "title"),
            source=canonical.text(predicate, "source"),
            license=canonical.text(predicate, "license"),
            files=canonical.integer(predicate, "files"),
            bytes=canonical.integer(predicate, "bytes"),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(Subject(name=self.name, sha256=self.manifest_sha256),),
            predicate_type=DATASET_V1,
            predicate={
                "title": self.title,
                "source": self.source,
                "license": self.license,
                "files": self.files,
                "bytes": self.bytes,
            },
        )
