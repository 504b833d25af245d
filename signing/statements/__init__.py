# SPDX-License-Identifier: Apache-2.0
"""What is signed: in-toto statements, and the fifteen claims of ours that they carry.

A claim parses strictly from its statement and builds the same statement again
(docs/spec/formats.md, section 2). Whether a claim is true, and who signed it, is left to `verify`.
"""

from .batch import BatchClaim, Placed
from .checkpoint import CheckpointClaim, RunReference
from .conduct import AcceptanceClaim, ConductClaim
from .consent import Consent, ConsentClaim
from .dataset import DatasetClaim
from .evaluation import (
    Benchmark,
    EvaluationClaim,
    Harness,
    Metric,
    Result,
    WithdrawalClaim,
    Withdrawn,
)
from .output import Mark, Origin, OutputClaim, lines_of
from .period import PeriodClaim
from .references import SALT_BYTES, ConductReference, ListReference, commit, party_commitment
from .revocation import RevocationClaim
from .run import RunClaim
from .sanction import Breach, LiftingClaim, SanctionClaim, Sanctioned, sanctioned_commitment
from .statement import (
    ACCEPTANCE_V1,
    ACCEPTANCE_V2,
    BATCH_V1,
    CHECKPOINT_V1,
    CHECKPOINT_V2,
    CONDUCT_V1,
    CONSENT_V1,
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
    Claim,
    Statement,
    Subject,
    predicate_type_of,
)
from .takedown import TakedownClaim

__all__ = [
    "ACCEPTANCE_V1",
    "ACCEPTANCE_V2",
    "BATCH_V1",
    "CHECKPOINT_V1",
    "CHECKPOINT_V2",
    "CONDUCT_V1",
    "CONSENT_V1",
    "DATASET_V1",
    "EVALUATION_V1",
    "LIFTING_V1",
    "OMS_V1",
    "OUTPUT_V1",
    "OUTPUT_V2",
    "PERIOD_V1",
    "PURPOSE_OF",
    "REVOCATION_V1",
    "RUN_V1",
    "SALT_BYTES",
    "SANCTION_V1",
    "TAKEDOWN_V1",
    "TAKEDOWN_V2",
    "WITHDRAWAL_V1",
    "AcceptanceClaim",
    "BatchClaim",
    "Benchmark",
    "Breach",
    "CheckpointClaim",
    "Claim",
    "ConductClaim",
    "ConductReference",
    "Consent",
    "ConsentClaim",
    "DatasetClaim",
    "EvaluationClaim",
    "Harness",
    "LiftingClaim",
    "ListReference",
    "Mark",
    "Metric",
    "Origin",
    "OutputClaim",
    "PeriodClaim",
    "Placed",
    "Result",
    "RevocationClaim",
    "RunClaim",
    "RunReference",
    "SanctionClaim",
    "Sanctioned",
    "Statement",
    "Subject",
    "TakedownClaim",
    "WithdrawalClaim",
    "Withdrawn",
    "commit",
    "lines_of",
    "party_commitment",
    "predicate_type_of",
    "sanctioned_commitment",
]
