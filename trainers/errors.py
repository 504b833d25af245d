# SPDX-License-Identifier: Apache-2.0
"""Every way in which the trainers' programs can fail, each with a stable code.

A malformed recipe or manifest is not here: reading documents is signing's, and so is
its `InvalidDocument`.
"""

from __future__ import annotations

from typing import ClassVar


class TrainerError(Exception):
    """The root of the tree; never raised itself."""

    code: ClassVar[str] = "trainer-error"


class UnusableData(TrainerError):
    """A dataset cannot be trained on: nothing held out, nothing left, or too short."""

    code = "unusable-data"


class UnusableCheckpoint(TrainerError):
    """A folder does not hold what the recipe, or its own config, says it holds."""

    code = "unusable-checkpoint"


class FolderTaken(TrainerError):
    """What would be written has something in its place already."""

    code = "folder-taken"


class UnusablePrompt(TrainerError):
    """A request for text that no model here can answer."""

    code = "unusable-prompt"


class UnusablePicture(TrainerError):
    """A file that is no picture, or a larger one than is read."""

    code = "unusable-picture"


class UnusableNetworks(TrainerError):
    """A folder does not hold TrustMark's networks, or nothing here can run them."""

    code = "unusable-networks"


class WrongDigest(TrainerError):
    """A registry served something else than what it named by digest."""

    code = "wrong-digest"


class LeaseLost(TrainerError):
    """The registry gave this node's work to another, or withdrew it."""

    code = "lease-lost"


class PublishRefused(TrainerError):
    """The registry rejected a checkpoint, or did not publish it in time."""

    code = "publish-refused"


class NoToken(TrainerError):
    """The token file holds none."""

    code = "no-token"


class NotRegenerable(TrainerError):
    """What was signed cannot be asked again: nobody generated it, or the request is not here."""

    code = "not-regenerable"


class NeedsWatermarkKey(TrainerError):
    """A text was written with a watermark whose key is not at hand."""

    code = "needs-watermark-key"
