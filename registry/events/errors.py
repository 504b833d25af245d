# SPDX-License-Identifier: Apache-2.0
"""Why a stream of events is refused, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class InvalidTopics(Problem):
    """The address does not say what to follow."""

    code = "invalid-topics"
    title = "These are not topics to follow"


class TooManyFollowers(Problem):
    """The process serves as many followers as it can."""

    code = "too-many-followers"
    title = "Too many are following already"
    status_code = 503
