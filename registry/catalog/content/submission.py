# SPDX-License-Identifier: Apache-2.0
"""What is handed in to be published: uploaded files, and for a run, its node's statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.signing.envelope import Envelope
from assay.signing.manifest import Manifest
from registry.accounts.queries import Node, User
from registry.conduct.queries import PolicyVersion

from ..models import Checkpoint, Dataset, Project
from .formats import Accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvidence:
    """The run that the caller's lease is on, and what its node signed. The lease was checked."""

    run_id: str
    node: Node
    recipe: Mapping[str, object]
    dataset: Dataset
    conduct: PolicyVersion
    envelope: Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a file turned out to be."""

    sha256: str
    is_: Accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A checkpoint as its publisher describes it; without a run, the user acts for the owner."""

    user: User
    project: Project
    name: str
    step: int | None
    manifest: Manifest
    run: RunEvidence | None = None
    base: Checkpoint | None = None
    """A published checkpoint of the project whose files, under their names, were checked before."""
    holder: str = ""
    """Of a token for this project alone, if it was sent with one: nobody's other files are its."""
    found: tuple[Found, ...] = ()
    """What the files turned out to be; for `receive.check` to say."""
    card: Mapping[str, object] = field(default_factory=dict[str, object])
    """What a checkpoint keeps of its card (cards.read), for `receive.check` to say as well."""

    @property
    def actor(self) -> str:
        """Who publishes: the node, the holder of a project's token, or the person."""
        if self.run is not None:
            return self.run.node.actor
        return self.holder or self.user.actor

    @property
    def senders(self) -> frozenset[str]:
        """Whose uploads it may use."""
        return frozenset({self.actor} if self.holder else {self.actor, self.user.actor})

    @property
    def front_matter(self) -> Mapping[str, object]:
        """What the card says to programs."""
        said = self.card.get("front_matter", {})
        return said if isinstance(said, Mapping) else {}

    @property
    def conduct(self) -> PolicyVersion:
        """The conduct version that the checkpoint is released under: its run's, if it has one."""
        return self.project.conduct if self.run is None else self.run.conduct
