# SPDX-License-Identifier: Apache-2.0
"""What the pool refuses, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class LeaseLost(Problem):
    """The lease has ended, run out or been given to another node: nothing of it counts any more."""

    code = "lease-lost"
    title = "This lease is no longer held"
    status_code = 409


class RunUnfinished(Problem):
    """A run is complete when the checkpoint of its last step is published."""

    code = "run-unfinished"
    title = "The run has steps left"
    status_code = 409
