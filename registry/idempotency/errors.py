# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an Idempotency-Key, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class InvalidKey(Problem):
    """Not 1 to 255 printable ASCII characters."""

    code = "idempotency-key-invalid"
    title = "This is not an idempotency key"


class Mismatch(Problem):
    """The key was used before, for something else."""

    code = "idempotency-mismatch"
    title = "This key was used with another body"
    status_code = 422


class InProgress(Problem):
    """The first request with this key has no answer yet."""

    code = "idempotency-in-progress"
    title = "A request with this key is still running"
    status_code = 409
