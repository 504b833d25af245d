# SPDX-License-Identifier: Apache-2.0
"""How a conversation with a registry fails. Messages never hold the token."""

from __future__ import annotations

from ..errors import AssayError


class ClientError(AssayError):
    """The registry refused a request, or answered what it should not."""

    code = "registry-refused"
    exit_code = 5

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        problem: str | None = None,
        title: str = "",
        reasons: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem
        """The registry's own code (docs/spec/http.md), such as `digest-mismatch`."""
        self.title = title
        self.reasons = reasons

    def for_programs(self) -> dict[str, object]:
        """The registry's own code and words, too."""
        told = {"problem": self.problem, "reasons": list(self.reasons)}
        return {**super().for_programs(), **told}


class RegistryUnreachable(ClientError):
    """No registry answers at the URL, or the connection broke."""

    code = "registry-unreachable"
    exit_code = 6


class PartsTaken(ClientError):
    """Something else is where a download would grow, or another download is at work there."""

    code = "parts-taken"
    exit_code = 45


class NotPublished(ClientError):
    """What was sent is not published: the name is another's, or the registry did not sign it."""

    code = "not-published"
    exit_code = 39


class WitnessElsewhere(ClientError):
    """The newest tree head that a witness saw is not the one that it was asked to go on from."""

    code = "witness-elsewhere"
    exit_code = 8

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message, status=409)
        self.size = size
        """How many entries it has seen."""
