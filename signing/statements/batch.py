# SPDX-License-Identifier: Apache-2.0
"""The claim about many outputs at once, and the place of one of them in it.

Each output of a batch has a statement, as every output has, which nobody signs: these are the
leaves of a tree (RFC 9162, section 2), and its root is signed in the place of each.
"""

from __future__ import annotations

from typing import Self

from .. import canonical, merkle
from ..canonical import Obj
from ..errors import InvalidDocument
from ..values import dataclass
from .output import Origin, OutputClaim
from .references import ConductReference, reference
from .statement import BATCH_V1, Statement, Subject, predicate_of, same

MAX_OUTPUTS = 100_000
MAX_HASHES = 63
SUBJECT = "outputs"
_FIELDS = ("batch", "count", "claim", "checkpoint", "conduct")
_PLACED = ("index", "output", "sha256", "normalised", "media_type", "hashes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One output of a batch: what only its own statement says, and the way to the batch's root."""

    index: int
    output: str
    exact_sha256: str
    normalised_sha256: str | None
    media_type: str
    hashes: tuple[bytes, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the `extra` of a proof, which must be in canonical form."""
        obj = canonical.as_mapping(canonical.loads_canonical(data), "extra")
        canonical.only(obj, *_PLACED)
        return cls(
            index=canonical.integer(obj, "index"),
            output=canonical.text(obj, "output"),
            exact_sha256=canonical.sha256_hex(obj, "sha256"),
            normalised_sha256=canonical.nullable(obj, "normalised", canonical.sha256_hex),
            media_type=canonical.text(obj, "media_type"),
            hashes=_hashes(obj),
        )

    def canonical(self) -> bytes:
        """The bytes that `parse` reads."""
        return canonical.dumps(
            {
                "index": self.index,
                "output": self.output,
                "sha256": self.exact_sha256,
                "normalised": self.normalised_sha256,
                "media_type": self.media_type,
                "hashes": [canonical.base64_text(each) for each in self.hashes],
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchClaim:
    """These outputs were made from a checkpoint, says whoever signed; nobody else saw it."""

    root_sha256: str
    """Of the tree over the outputs' statements."""
    batch: str
    count: int
    checkpoint_sha256: str
    checkpoint_statement_sha256: str
    conduct: ConductReference

    @classmethod
    def parse(cls, statement: Statement) -> Self:
        """Read the claim out of a statement."""
        predicate = predicate_of(statement, BATCH_V1, *_FIELDS)
        canonical.literal(predicate, "claim", Origin.CALLER_ASSERTED)
        checkpoint = canonical.mapping(predicate, "checkpoint")
        with canonical.within("checkpoint"):
            canonical.only(checkpoint, "sha256", "statement")
            checkpoint_sha256 = canonical.sha256_hex(checkpoint, "sha256")
            checkpoint_statement_sha256 = reference(checkpoint, "statement")
        claim = cls(
            root_sha256=statement.subjects[0].sha256,
            batch=canonical.text(predicate, "batch"),
            count=canonical.integer(predicate, "count", minimum=1, maximum=MAX_OUTPUTS),
            checkpoint_sha256=checkpoint_sha256,
            checkpoint_statement_sha256=checkpoint_statement_sha256,
            conduct=ConductReference.parse(predicate, "conduct"),
        )
        return same(claim, statement)

    def statement(self) -> Statement:
        """The statement that makes this claim."""
        return Statement(
            subjects=(Subject(name=SUBJECT, sha256=self.root_sha256),),
            predicate_type=BATCH_V1,
            predicate={
                "batch": self.batch,
                "count": self.count,
                "claim": str(Origin.CALLER_ASSERTED),
                "checkpoint": {
                    "sha256": self.checkpoint_sha256,
                    "statement": {"sha256": self.checkpoint_statement_sha256},
                },
                "conduct": self.conduct.to_json(),
            },
        )

    def output(self, placed: Placed) -> OutputClaim:
        """What the batch claims of one of its outputs, if that is where it says (`find`)."""
        return OutputClaim(
            exact_sha256=placed.exact_sha256,
            normalised_sha256=placed.normalised_sha256,
            output=placed.output,
            claim=Origin.CALLER_ASSERTED,
            checkpoint_sha256=self.checkpoint_sha256,
            checkpoint_statement_sha256=self.checkpoint_statement_sha256,
            conduct=self.conduct,
            media_type=placed.media_type,
            request_commitment=None,
            generation=None,
        )

    def find(self, placed: Placed) -> OutputClaim:
        """The same, once the hashes lead from it to the root that was signed.

        Raises NotInLedger.
        """
        claim = self.output(placed)
        merkle.verify_inclusion(
            merkle.leaf_hash(claim.statement().canonical()),
            placed.index,
            self.count,
            placed.hashes,
            bytes.fromhex(self.root_sha256),
        )
        return claim


def _hashes(obj: Obj) -> tuple[bytes, ...]:
    each = canonical.items(obj, "hashes", maximum=MAX_HASHES)
    found = tuple(canonical.base64_bytes({"hashes": value}, "hashes") for value in each)
    if any(len(one) != merkle.HASH_BYTES for one in found):
        raise InvalidDocument("hashes", "SHA-256 in base64", "something else")
    return found
