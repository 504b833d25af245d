# SPDX-License-Identifier: Apache-2.0
"""A project's history: revisions, and the refs that name them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .checkpoints import Checkpoint
from .projects import Project

MAX_REF_NAME = 200
MAX_TITLE = 200
# What git-check-ref-format(1) takes, less what nobody would type: segments of plain characters.
REF_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*"
REFS_PATTERN = rf"{REF_PATTERN}(/{REF_PATTERN})*"
MAIN = "main"


class Revision(models.Model):
    """One step of a project's history: the files as somebody left them, and what they said of it.

    It is made with its checkpoint, and stands in the history of `branch` once that ref has moved to
    it. `author` is null for a run's, and once the person left.
    """

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="+")
    # PostgreSQL protects it; an erasure takes a project's whole history away at once.
    parent = models.ForeignKey("self", null=True, on_delete=models.DO_NOTHING, related_name="+")
    branch = models.CharField(max_length=MAX_REF_NAME)
    title = models.CharField(max_length=MAX_TITLE)
    message = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("project", "branch"), name="catalog_revision_of_branch"),)

    def __str__(self) -> str:
        return self.title


class Kind(models.TextChoices):
    """What a ref is: a branch moves with each commit, a tag stays, a pull request is proposed."""

    BRANCH = "branch"
    TAG = "tag"
    PULL = "pull"


class Ref(models.Model):
    """A name for a revision of a project. One name means one thing, whatever its kind."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    name = models.CharField(max_length=MAX_REF_NAME)
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("project", "name"), name="catalog_ref_name"),
            models.CheckConstraint(
                condition=Q(name__regex=f"^{REFS_PATTERN}$"), name="catalog_ref_name_is_plain"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=Kind.values), name="catalog_ref_kind_is_known"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def full_name(self) -> str:
        """As git writes it; a pull request's name says it already."""
        match Kind(self.kind):
            case Kind.BRANCH:
                return f"refs/heads/{self.name}"
            case Kind.TAG:
                return f"refs/tags/{self.name}"
            case Kind.PULL:
                return self.name
