# SPDX-License-Identifier: Apache-2.0
"""The closed lists that rules choose from: what is done, what for, what is owed, how grave.

What ODRL has a word for (https://www.w3.org/TR/odrl-vocab/) has that word; the others are ours. A
word is never taken away: old versions have it for ever.
"""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """What a new version means to whoever accepted the one before."""

    MINOR = "minor"
    """Nobody may do less than before: the earlier acceptance holds."""
    MATERIAL = "material"
    """It is accepted anew, within a time, or nothing is signed any more."""


class Deed(StrEnum):
    """What may be permitted or forbidden; whoever forbids `use` forbids all of it."""

    USE = "use"
    DERIVE = "derive"
    DISTRIBUTE = "distribute"
    COMMERCIAL_USE = "assay:commercial-use"
    GENERATE_TEXT = "assay:generate-text"
    GENERATE_IMAGE = "assay:generate-image"
    SIGN_OUTPUT = "assay:sign-output"
    TRAIN_ON_OUTPUT = "assay:train-on-output"

    def includes(self, other: Deed) -> bool:
        """Whether a rule about this one is a rule about the other, too."""
        return self in {Deed.USE, other}


class Duty(StrEnum):
    """What an obligation demands (ODRL Vocabulary 2.2, common actions)."""

    ATTRIBUTE = "attribute"
    INCLUDE = "include"
    INFORM = "inform"
    PASS_ON = "nextPolicy"  # noqa: S105 - no password


class Aim(StrEnum):
    """What for: the purposes that rules tell apart."""

    UNLAWFUL = "assay:unlawful"
    HARM_TO_MINORS = "assay:harm-to-minors"
    HARMFUL_FALSEHOOD = "assay:harmful-falsehood"
    EXPOSURE = "assay:exposure"
    HIDDEN_ORIGIN = "assay:hidden-origin"
    HARASSMENT = "assay:harassment"
    IMPERSONATION = "assay:impersonation"
    DECISION_ALONE = "assay:decision-alone"
    SOCIAL_SCORING = "assay:social-scoring"
    EXPLOITATION = "assay:exploitation"
    DISCRIMINATION = "assay:discrimination"
    MEDICAL_ADVICE = "assay:medical-advice"
    PREDICTED_GUILT = "assay:predicted-guilt"
    FRAUD = "assay:fraud"
    MASS_HARM = "assay:mass-harm"
