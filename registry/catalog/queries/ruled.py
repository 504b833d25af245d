# SPDX-License-Identifier: Apache-2.0
"""What is under a version of a policy: the projects and the checkpoints that everybody may see."""

from __future__ import annotations

from dataclasses import dataclass

from registry.conduct.queries import PolicyVersion

from ..models import Checkpoint
from ..models.checkpoints import State
from . import counting, seeing
from .counting import MOST, Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Under:
    """How many there are; both exact to 10,000."""

    projects: Count
    """As the catalogue's facet has them: by what they are under now."""
    checkpoints: Count
    """Which stay under what they were signed with."""


def under(version: PolicyVersion) -> Under:
    """Counted, and none of what is private."""
    facet = {"conduct": f"{version.policy_id}/{version.version}"}
    shown = seeing.projects(None, of="project")
    signed = Checkpoint.objects.filter(shown, conduct=version, state=State.PUBLISHED)
    counted = signed.values("pk")[: MOST + 1].count()
    return Under(projects=counting.tallied(facet).count, checkpoints=Count(value=counted))
