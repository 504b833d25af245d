# SPDX-License-Identifier: Apache-2.0
"""What outputs refuse, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class CheckpointUnknown(Problem):
    """No published checkpoint has this id."""

    code = "not-found"
    title = "There is no such published checkpoint"
    status_code = 404


class OtherProjects(Problem):
    """The token signs outputs of other projects' checkpoints alone."""

    code = "token-for-other-projects"
    title = "This token is for other projects"
    status_code = 403


class NotGeneratable(Problem):
    """The checkpoint has no weights or configuration that the generation program reads.

    Or it makes something else than what is asked for.
    """

    code = "not-generatable"
    title = "This cannot be generated from this checkpoint"
    status_code = 422


class QueueFull(Problem):
    """As many requests wait as the generation program answers in a reasonable time."""

    code = "generation-queue-full"
    title = "Too many requests wait for a text"
    status_code = 429


class GenerationQuotaExceeded(Problem):
    """As many texts as a person may ask for in a day."""

    code = "generation-quota-exceeded"
    title = "You have asked for as many texts as one may in a day"
    status_code = 429


class GenerationFailed(Problem):
    """The generation program gave up, or was lost, as often as we try."""

    code = "generation-failed"
    title = "No text was generated"
    status_code = 503


class LeaseLost(Problem):
    """The request was given to another generation program, or is answered already."""

    code = "lease-lost"
    title = "This request is no longer yours to answer"
    status_code = 409


class UnusableText(Problem):
    """The generation program delivered what was not asked for."""

    code = "unusable-text"
    title = "This text cannot be signed"
    status_code = 422


class UnusablePicture(Problem):
    """It is no picture, or another one than was asked for."""

    code = "unusable-picture"
    title = "This picture cannot be used"
    status_code = 422


class InvalidQuery(Problem):
    """A question to the soft-binding resolution that makes no sense; C2PA has 400 for it."""

    code = "invalid-query"
    title = "This question makes no sense"
    status_code = 400


class LookingUnavailable(Problem):
    """Nobody can look at a picture now: too many are looked at, or no program can be shut in."""

    code = "looking-unavailable"
    title = "Pictures cannot be looked at now"
    status_code = 503


class NeverSigned(Problem):
    """The signer will never sign what would be said of this output."""

    code = "never-signed"
    title = "This output cannot be signed"
    status_code = 422
