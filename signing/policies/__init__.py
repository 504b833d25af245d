# SPDX-License-Identifier: Apache-2.0
"""Conduct policies as data: what a version permits, forbids and demands, clause by clause.

Signatures name a version by the digest of its document; the text beside it says each clause in the
same words. What a checkpoint made from another one must still forbid is decided by the rules, and
by nobody's reading. Who accepted what is the registry's to know.
"""

from __future__ import annotations

from .document import (
    CONTEXT,
    DOCUMENT_V1,
    DOCUMENT_V2,
    MAX_CLAUSES,
    contradictions,
    parse,
)
from .policy import Clause, Earlier, Obligation, Policy, Rule, dropped
from .words import Aim, Deed, Duty, Severity

__all__ = [
    "CONTEXT",
    "DOCUMENT_V1",
    "DOCUMENT_V2",
    "MAX_CLAUSES",
    "Aim",
    "Clause",
    "Deed",
    "Duty",
    "Earlier",
    "Obligation",
    "Policy",
    "Rule",
    "Severity",
    "contradictions",
    "dropped",
    "parse",
]
