# SPDX-License-Identifier: Apache-2.0
"""Projects: lines of checkpoints, who sees them, and who has their files."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

MAX_NAME = 100
# Lower case only, so that unique means unique after case folding; never `.`, `..` or empty.
NAME_PATTERN = r"[a-z0-9]([._-]?[a-z0-9])*"


class Visibility(models.TextChoices):
    """Who sees a project, and that there is one; a pull's line is seen through its project."""

    PUBLIC = "public"
    PRIVATE = "private"
    PULL = "pull"


class Gate(models.TextChoices):
    """To whom a project's files are given, of those who see it.

    `asks`: to whom the owner lets in. `automatic`: to whoever asks, and has read what is asked.
    """

    OPEN = "open"
    ASKS = "asks"
    AUTOMATIC = "automatic"


class Project(models.Model):
    """A line of checkpoints, `owner/name`, published under one conduct version.

    One that ended keeps its row, so that its name is never given again; where it was moved from, a
    row that ended leads on to it. `pulls` is how many pull requests it ever had. Who sees it is for
    seeing.py to say, and for nobody else.
    """

    owner = models.ForeignKey("accounts.Namespace", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=MAX_NAME)
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    conduct = models.ForeignKey("conduct.PolicyVersion", on_delete=models.PROTECT, related_name="+")
    visibility = models.CharField(
        max_length=7, choices=Visibility.choices, default=Visibility.PUBLIC
    )
    gate = models.CharField(max_length=9, choices=Gate.choices, default=Gate.OPEN)
    gate_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    given_back_at = models.DateTimeField(null=True)
    taken_down_at = models.DateTimeField(null=True)
    taken_down_for = models.TextField(blank=True)
    moved_to = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    pulls = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("owner", "name"), name="catalog_project_name"),
            models.CheckConstraint(
                condition=Q(visibility__in=Visibility.values),
                name="catalog_project_visibility_is_known",
            ),
            models.CheckConstraint(
                condition=Q(gate__in=Gate.values), name="catalog_project_gate_is_known"
            ),
            models.CheckConstraint(
                condition=Q(moved_to__isnull=True) | Q(ended_at__isnull=False),
                name="catalog_project_moved_has_ended",
            ),
            models.CheckConstraint(
                condition=Q(name__regex=f"^{NAME_PATTERN}$"), name="catalog_project_name_is_plain"
            ),
        )
        indexes = (
            models.Index(
                fields=("ended_at",),
                condition=Q(ended_at__isnull=False, given_back_at=None),
                name="catalog_project_over",
            ),
        )

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """`owner/name`, as statements and URLs write it."""
        return f"{self.owner.name}/{self.name}"

    @property
    def path(self) -> str:
        """The page's path."""
        return f"/{self.full_name}"

    @property
    def is_public(self) -> bool:
        """That everybody may see it."""
        return self.visibility == Visibility.PUBLIC and self.ended_at is None

    @property
    def is_gated(self) -> bool:
        """That who sees it does not have its files for that."""
        return self.gate != Gate.OPEN
