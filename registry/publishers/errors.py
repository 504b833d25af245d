# SPDX-License-Identifier: Apache-2.0
"""What trusted publishing refuses, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class InvalidPublisher(Problem):
    """A description that nobody fits, or that more fit than its author may have thought of."""

    code = "invalid-publisher"
    title = "Such a publisher cannot be named"
    status_code = 422


class NotAPublisher(Problem):
    """The token is whole, but the project named nobody whom it is about."""

    code = "not-a-publisher"
    title = "This project has not named this job"
    status_code = 403
