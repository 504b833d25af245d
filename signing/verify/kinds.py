# SPDX-License-Identifier: Apache-2.0
"""The kinds of statement: what a part of the evidence must claim, and who may claim it.

The signer signs by these rules, and a verifier judges by them (docs/spec/formats.md, section 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from .. import oms
from ..canonical import instant_text
from ..certificates import Purpose
from ..digests import as_id
from ..evidence import Part
from ..statements import (
    ACCEPTANCE_V1,
    ACCEPTANCE_V2,
    BATCH_V1,
    CHECKPOINT_V1,
    CHECKPOINT_V2,
    CONDUCT_V1,
    DATASET_V1,
    EVALUATION_V1,
    LIFTING_V1,
    OMS_V1,
    OUTPUT_V1,
    OUTPUT_V2,
    PERIOD_V1,
    PURPOSE_OF,
    REVOCATION_V1,
    RUN_V1,
    SANCTION_V1,
    TAKEDOWN_V1,
    TAKEDOWN_V2,
    WITHDRAWAL_V1,
    AcceptanceClaim,
    BatchClaim,
    Breach,
    CheckpointClaim,
    Claim,
    ConductClaim,
    DatasetClaim,
    EvaluationClaim,
    LiftingClaim,
    OutputClaim,
    PeriodClaim,
    RevocationClaim,
    RunClaim,
    SanctionClaim,
    Statement,
    TakedownClaim,
    WithdrawalClaim,
)
from ..values import dataclass

C = TypeVar("C", bound=Claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[C]):
    """What a part must claim, who may claim it, and how a person reads it."""

    part: str
    noun: str
    purpose: Purpose
    parse: Callable[[Statement], C]
    in_words: Callable[[C], str]
    signer: Callable[[C, str], str]
    """Given the claim and the registry's URL: the URI of whoever may make it, or with a slash at
    its end, the URL below which that URI lies."""


def is_signer(uri: str, expected: str) -> bool:
    """Whether a URI is the one that a kind's `signer` names, or lies below it."""
    return uri.startswith(expected) if expected.endswith("/") else uri == expected


def any_of(purpose: Purpose) -> Kind[Claim]:
    """Whatever keys of one purpose may sign, each statement by its own rules."""

    def kind_of(claim: Claim) -> Kind[Any]:
        return KIND_OF[claim.statement().predicate_type]

    return Kind(
        part="bundle",
        noun="bundle",
        purpose=purpose,
        parse=lambda statement: KIND_OF[statement.predicate_type].parse(statement),
        in_words=lambda claim: kind_of(claim).in_words(claim),
        signer=lambda claim, registry: kind_of(claim).signer(claim, registry),
    )


def _anybody(_claim: Claim, registry: str) -> str:
    return f"{registry}/"


def _owner(claim: CheckpointClaim | DatasetClaim, registry: str) -> str:
    return f"{registry}/{claim.owner}"


def _conduct(_claim: Claim, registry: str) -> str:
    return f"{registry}/conduct"


def _authority(_claim: Claim, registry: str) -> str:
    return f"{registry}/authority"


def _for(breach: Breach | None) -> str:
    if breach is None:
        return ""
    return f", for clause {breach.clause} of {breach.conduct.id} {breach.conduct.version}"


OUTPUT = Kind(
    part=Part.OUTPUT,
    noun="output",
    purpose=PURPOSE_OF[OUTPUT_V1],
    parse=OutputClaim.parse,
    in_words=lambda claim: (
        f"output {claim.output}, {claim.claim}, from checkpoint {as_id(claim.checkpoint_sha256)}"
    ),
    signer=_anybody,
)
BATCH = Kind(
    part=Part.BATCH,
    noun="batch of outputs",
    purpose=PURPOSE_OF[BATCH_V1],
    parse=BatchClaim.parse,
    in_words=lambda claim: (
        f"batch {claim.batch} of {claim.count} outputs, "
        f"from checkpoint {as_id(claim.checkpoint_sha256)}"
    ),
    signer=_anybody,
)
CHECKPOINT = Kind(
    part=Part.CHECKPOINT,
    noun="checkpoint",
    purpose=PURPOSE_OF[CHECKPOINT_V1],
    parse=CheckpointClaim.parse,
    in_words=lambda claim: (
        f"{claim.project}@{claim.name}, checkpoint {as_id(claim.manifest_sha256)}"
    ),
    signer=_owner,
)
RUN = Kind(
    part=Part.RUN,
    noun="run",
    purpose=PURPOSE_OF[RUN_V1],
    parse=RunClaim.parse,
    in_words=lambda claim: (
        f"run {claim.run} at step {claim.step}, validation loss {claim.validation_loss}"
    ),
    signer=lambda claim, registry: f"{registry}/nodes/{claim.node}",
)
DATASET = Kind(
    part=Part.DATASET,
    noun="dataset",
    purpose=PURPOSE_OF[DATASET_V1],
    parse=DatasetClaim.parse,
    in_words=lambda claim: (
        f"{claim.title} ({claim.name}), {claim.files} files, licence {claim.license}"
    ),
    signer=_owner,
)
CONDUCT = Kind(
    part=Part.CONDUCT,
    noun="conduct policy",
    purpose=PURPOSE_OF[CONDUCT_V1],
    parse=ConductClaim.parse,
    in_words=lambda claim: f"{claim.title}, version {claim.conduct.version}",
    signer=_conduct,
)
ACCEPTANCE = Kind(
    part="acceptance",
    noun="acceptance",
    purpose=PURPOSE_OF[ACCEPTANCE_V1],
    parse=AcceptanceClaim.parse,
    in_words=lambda claim: (
        f"{claim.conduct.id}, version {claim.conduct.version}"
        + (", with a key of the party's own" if claim.consent else "")
    ),
    signer=_conduct,
)
REVOCATION = Kind(
    part="revocation",
    noun="revocation",
    purpose=PURPOSE_OF[REVOCATION_V1],
    parse=RevocationClaim.parse,
    in_words=lambda claim: f"certificate {claim.revocation.serial:x}, {claim.revocation.reason}",
    signer=_authority,
)
TAKEDOWN = Kind(
    part=Part.TAKEDOWN,
    noun="takedown",
    purpose=PURPOSE_OF[TAKEDOWN_V1],
    parse=TakedownClaim.parse,
    in_words=lambda claim: (
        f"{as_id(claim.checkpoint_sha256)}, taken down at {instant_text(claim.taken_down_at)}"
        f"{_for(claim.breach)}: {claim.reason}"
    ),
    signer=_authority,
)
SANCTION = Kind(
    part="sanction",
    noun="sanction",
    purpose=PURPOSE_OF[SANCTION_V1],
    parse=SanctionClaim.parse,
    in_words=lambda claim: (
        f"a {claim.against}, since {instant_text(claim.imposed_at)}{_for(claim.breach)}"
    ),
    signer=_authority,
)
LIFTING = Kind(
    part="lifting",
    noun="lifting of a sanction",
    purpose=PURPOSE_OF[LIFTING_V1],
    parse=LiftingClaim.parse,
    in_words=lambda claim: (
        f"what {as_id(claim.statement_sha256)} imposed, since {instant_text(claim.lifted_at)}"
    ),
    signer=_authority,
)
PERIOD = Kind(
    part="period",
    noun="export of a period",
    purpose=PURPOSE_OF[PERIOD_V1],
    parse=PeriodClaim.parse,
    in_words=lambda claim: f"{claim.lines} lines, of entries {claim.first} to {claim.end}",
    signer=_conduct,
)
EVALUATION = Kind(
    part=Part.EVALUATION,
    noun="evaluation",
    purpose=PURPOSE_OF[EVALUATION_V1],
    parse=EvaluationClaim.parse,
    in_words=lambda claim: (
        f"{claim.result.task} on {claim.result.dataset.name}: {claim.result.metrics[0].name} "
        f"{claim.result.metrics[0].value}, by {claim.result.harness.name} "
        f"{claim.result.harness.version}"
    ),
    signer=_anybody,
)
WITHDRAWAL = Kind(
    part=Part.WITHDRAWAL,
    noun="withdrawal",
    purpose=PURPOSE_OF[WITHDRAWAL_V1],
    parse=WithdrawalClaim.parse,
    in_words=lambda claim: f"withdrawn as {claim.reason}",
    signer=_anybody,  # beside an evaluation its signer alone: the link `withdrawal.evaluation`
)
MODEL = Kind(
    part="model",
    noun="model signature",
    purpose=PURPOSE_OF[OMS_V1],
    parse=oms.parse,
    in_words=lambda claim: f"{claim.name}, {len(claim.resources)} files",
    signer=_anybody,  # beside a checkpoint its signer alone: the link `model.checkpoint`
)
KIND_OF: Mapping[str, Kind[Any]] = {
    OUTPUT_V1: OUTPUT,
    OUTPUT_V2: OUTPUT,
    BATCH_V1: BATCH,
    CHECKPOINT_V1: CHECKPOINT,
    CHECKPOINT_V2: CHECKPOINT,
    RUN_V1: RUN,
    DATASET_V1: DATASET,
    CONDUCT_V1: CONDUCT,
    ACCEPTANCE_V1: ACCEPTANCE,
    ACCEPTANCE_V2: ACCEPTANCE,
    REVOCATION_V1: REVOCATION,
    TAKEDOWN_V1: TAKEDOWN,
    TAKEDOWN_V2: TAKEDOWN,
    SANCTION_V1: SANCTION,
    LIFTING_V1: LIFTING,
    PERIOD_V1: PERIOD,
    EVALUATION_V1: EVALUATION,
    WITHDRAWAL_V1: WITHDRAWAL,
    OMS_V1: MODEL,
}
