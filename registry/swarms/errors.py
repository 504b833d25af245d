# SPDX-License-Identifier: Apache-2.0
"""What swarms refuse, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import NotFound, Problem


class NotCut(Problem):
    """A worker hashes the pieces of a large file; the same question again is answered."""

    code = "pieces-not-ready"
    title = "The pieces of this file are hashed at this moment"
    status_code = 503


class NothingToShare(NotFound):
    """A file without bytes has no pieces."""

    code = "nothing-to-share"
    title = "There is nothing in this file"
