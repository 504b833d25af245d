# SPDX-License-Identifier: Apache-2.0
"""Offline verification in numbered steps, against one pinned trust root and one's requirements.

`verify_…` returns a `Verified` or raises the first failure, which carries its step and the steps
that passed before it; `examine_…` takes the same steps and reports them all, so that one changed
character shows as one failed step among many that passed. `artifacts` says which steps there are.
"""

from ..errors import Outcome, Step
from .artifacts import (
    examine_bundle,
    examine_checkpoint,
    examine_model,
    examine_output,
    verify_bundle,
    verify_checkpoint,
    verify_model,
    verify_output,
)
from .batches import examine_batched
from .evaluations import examine_evaluation
from .report import (
    Accepted,
    Answer,
    Compared,
    Content,
    Examination,
    Match,
    Opening,
    SignedPart,
    Verified,
)
from .requirements import Basis, Requirements, Seen, newest_seen
from .standing import Standing

__all__ = [
    "Accepted",
    "Answer",
    "Basis",
    "Compared",
    "Content",
    "Examination",
    "Match",
    "Opening",
    "Outcome",
    "Requirements",
    "Seen",
    "SignedPart",
    "Standing",
    "Step",
    "Verified",
    "examine_batched",
    "examine_bundle",
    "examine_checkpoint",
    "examine_evaluation",
    "examine_model",
    "examine_output",
    "newest_seen",
    "verify_bundle",
    "verify_checkpoint",
    "verify_model",
    "verify_output",
]
