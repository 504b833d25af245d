# SPDX-License-Identifier: Apache-2.0
"""What `assay verify` was given, as values: an artifact, its evidence, and what to compare.

Where the evidence came in a pack, the pack is with it: it may bring more to judge by.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..bundle import Bundle
from ..certificates import Purpose
from ..evidence import Evidence
from ..manifest import Manifest
from ..media import Carrier
from ..pack import Pack
from ..tensors import TensorList
from ..tlog import Proof
from ..values import dataclass
from ..verify import Answer, Content


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputGiven:
    """An output, its content if there is any, and a checkpoint's files if they were named."""

    evidence: Evidence
    answer: Answer | None
    """What the answer of the API says that the evidence came in."""
    content: Content | None
    files: Manifest | None
    lists: tuple[bytes, ...] = ()
    carrier: Carrier | None = None
    """The content, where it has a C2PA manifest."""
    pack: Pack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchedGiven:
    """An output of a batch, by its proof, and a checkpoint's files if they were named."""

    evidence: Evidence
    proof: Proof
    content: Content | None
    files: Manifest | None
    carrier: Carrier | None = None
    lists: tuple[bytes, ...] = ()
    pack: Pack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointGiven:
    """A checkpoint's files, the evidence about them, and the model signature beside them."""

    evidence: Evidence
    files: Manifest | None
    """None where only what a pack says of it is judged."""
    signature: Bundle | None
    lists: tuple[bytes, ...] = ()
    tensors: TensorList | None = None
    """Those in the files, if the checkpoint's statement names any."""
    pack: Pack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationGiven:
    """What somebody says a checkpoint achieved, and its files if they were named."""

    evidence: Evidence
    files: Manifest | None
    lists: tuple[bytes, ...] = ()
    pack: Pack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelGiven:
    """Files, and nothing but the model signature beside them."""

    bundle: Bundle
    files: Manifest
    lists: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleGiven:
    """One bundle alone, as the registry gives for each statement; nothing to compare it with."""

    bundle: Bundle
    purpose: Purpose
    lists: tuple[bytes, ...] = ()


Given = OutputGiven | BatchedGiven | CheckpointGiven | EvaluationGiven | ModelGiven | BundleGiven


def bundles(given: Given) -> tuple[Bundle, ...]:
    """Everything signed that it brings."""
    match given:
        case (
            OutputGiven(evidence=evidence)
            | BatchedGiven(evidence=evidence)
            | CheckpointGiven(evidence=evidence)
            | EvaluationGiven(evidence=evidence)
        ):
            return tuple(evidence.bundles.values())
        case ModelGiven(bundle=bundle) | BundleGiven(bundle=bundle):
            return (bundle,)


def notes(given: Given) -> Iterator[str]:
    """The signed tree heads that it brings."""
    yield from (bundle.proof.note for bundle in bundles(given))


def pack_of(given: Given) -> Pack | None:
    """The pack that it came in, if it came in one."""
    match given:
        case OutputGiven() | BatchedGiven() | CheckpointGiven() | EvaluationGiven():
            return given.pack
        case ModelGiven() | BundleGiven():
            return None
