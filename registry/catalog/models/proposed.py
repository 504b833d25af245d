# SPDX-License-Identifier: Apache-2.0
"""Pull requests: changes that somebody proposes to a project, and what is said of them.

What is proposed is a line of checkpoints of its author's
own, `line`, that is seen by whoever sees the project (docs/adr/0026): until it is merged, nothing
of it is the project's.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .checkpoints import OID_CHARACTERS

PULLS = "refs/pr/"
MAX_PULL_TITLE = 200  # a revision's, which merging makes of it


class Status(models.TextChoices):
    """What has been decided of it."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class Pull(models.Model):
    """The `number`-th pull request of a project; `author` is null once they left.

    `base` is what `main` was when it was opened: null where there was nothing. `merging` is the oid
    that somebody began to merge it as, and `merged` the revision that merging made. `asked_sha256`
    is of the request that opened it, to know it again.
    """

    project = models.ForeignKey("catalog.Project", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    line = models.OneToOneField("catalog.Project", on_delete=models.PROTECT, related_name="pull")
    base = models.ForeignKey(
        "catalog.Checkpoint", null=True, on_delete=models.PROTECT, related_name="+"
    )
    merged = models.ForeignKey(
        "catalog.Revision", null=True, on_delete=models.PROTECT, related_name="+"
    )
    merging = models.CharField(max_length=OID_CHARACTERS, blank=True, default="")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    title = models.CharField(max_length=MAX_PULL_TITLE)
    asked_sha256 = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("project", "number"), name="catalog_pull_number"),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="catalog_pull_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(merged__isnull=True) | Q(status="merged"),
                name="catalog_pull_merged_says_so",
            ),
        )

    def __str__(self) -> str:
        return f"{self.project.full_name}#{self.number}"

    @property
    def ref(self) -> str:
        """As clients name its newest revision."""
        return f"{PULLS}{self.number}"

    @property
    def path(self) -> str:
        """The page's path, which is also how the Hub's clients write it."""
        return f"{self.project.path}/discussions/{self.number}"


class Remark(models.Model):
    """What somebody said of a pull request, or did to it; its commits say so themselves.

    `text` is the comment, the new title or the new status, and `before` the title that it had.
    """

    class Kind(models.TextChoices):
        """In the words of the Hub's clients."""

        COMMENT = "comment"
        TITLE = "title-change"
        STATUS = "status-change"

    pull = models.ForeignKey(Pull, on_delete=models.PROTECT, related_name="remarks")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=13, choices=Kind.choices)
    text = models.TextField(blank=True)
    before = models.CharField(max_length=MAX_PULL_TITLE, blank=True)
    is_hidden = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=("comment", "title-change", "status-change")),
                name="catalog_remark_kind_is_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
