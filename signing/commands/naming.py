# SPDX-License-Identifier: Apache-2.0
"""What things are called in a verdict."""

from __future__ import annotations

from ..digests import as_id
from ..statements import CheckpointClaim, Metric


def title(checkpoint: CheckpointClaim) -> str:
    """Its project, its name and its id."""
    return f"{checkpoint.project}@{checkpoint.name} ({as_id(checkpoint.manifest_sha256)})"


def measured(metric: Metric) -> str:
    """A figure, and how far it may be off."""
    error = f" ± {metric.standard_error}" if metric.standard_error else ""
    return f"{metric.name} {metric.value}{error}"
