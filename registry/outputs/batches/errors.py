# SPDX-License-Identifier: Apache-2.0
"""What batches refuse, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class BatchQuotaExceeded(Problem):
    """As many outputs as a person may have signed in batches in a day."""

    code = "batch-quota-exceeded"
    title = "You have had as many outputs signed as one may in a day"
    status_code = 429


class BatchFailed(Problem):
    """Nothing was signed, and nothing will be."""

    code = "batch-failed"
    title = "The batch was not signed"
    status_code = 422


class BatchDamaged(Problem):
    """The rows of a batch are not those that were signed; the operator has to know."""

    code = "batch-damaged"
    title = "The batch is not what it was"
    status_code = 503
