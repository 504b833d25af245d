# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's DOI, and how far its registration with DataCite has come."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

MAX_DOI = 120


class DoiState(models.TextChoices):
    """Whether DataCite is still to be told something, knows all, or has refused."""

    WAITING = "waiting"
    REGISTERED = "registered"
    REFUSED = "refused"


class Doi(models.Model):
    """What an owner asked for. Once `registered_at`, it is for ever.

    `sent_at`: since when DataCite may have it, whether or not it said so; null is that it has not.
    From then on the row is not removed, so that somebody can hide what is there. Whoever sends it
    moves `due_at` on first, by a conditional update: a crash in between costs a second request,
    which DataCite answers as the first. `is_findable`: its search has it.
    """

    checkpoint = models.OneToOneField(
        "catalog.Checkpoint", on_delete=models.PROTECT, related_name="+"
    )
    doi = models.CharField(max_length=MAX_DOI, unique=True)
    state = models.CharField(max_length=10, choices=DoiState.choices, default=DoiState.WAITING)
    is_findable = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    registered_at = models.DateTimeField(null=True)

    class Meta:
        """What is due is found by time."""

        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=DoiState.values), name="catalog_doi_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(registered_at__isnull=False) | Q(state__in=("waiting", "refused")),
                name="catalog_doi_registered_has_time",
            ),
            models.CheckConstraint(
                condition=Q(registered_at__isnull=True) | Q(sent_at__isnull=False),
                name="catalog_doi_registered_was_sent",
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=Q(state="waiting"), name="catalog_doi_due"),
        )

    def __str__(self) -> str:
        return f"{self.doi} ({self.state})"

    @property
    def url(self) -> str:
        """Where it leads everybody, as it is to be shown (DataCite's and Crossref's guidelines)."""
        return f"https://doi.org/{self.doi}"
