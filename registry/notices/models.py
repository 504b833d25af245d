# SPDX-License-Identifier: Apache-2.0
"""Who is told (Hook), what they are told (Delivery), and how far we have looked (Mark)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

MAX_URL = 1000
MAX_ANSWER = 500
FINGERPRINT_CHARACTERS = 16


class Event(models.TextChoices):
    """What happens to a project; a closed list, in the words that requests say it in."""

    CHECKPOINT = "checkpoint.published"
    REVISION = "revision.created"
    REVOKED = "certificate.revoked"
    TAKEN_DOWN = "checkpoint.taken-down"
    RESTORED = "checkpoint.restored"
    EVALUATED = "evaluation.published"
    EVALUATION_WITHDRAWN = "evaluation.withdrawn"
    MOVED = "project.moved"
    ENDED = "project.ended"
    PROJECT_TAKEN_DOWN = "project.taken-down"
    ASKED = "access.asked"


PING = "ping"
OF_OWNERS = frozenset({Event.ASKED})  # told to the project's owner, and to nobody else who watches


class Hook(models.Model):
    """An address that is told of a project's events, or of all that its owner's projects meet.

    Its secret is nowhere: it is made of the registry's own, this id and `generation`
    (signatures.py). `fingerprint` tells whether it is still the one that was shown.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey("accounts.Namespace", on_delete=models.PROTECT, related_name="+")
    project = models.ForeignKey(
        "catalog.Project", null=True, on_delete=models.PROTECT, related_name="+"
    )
    url = models.CharField(max_length=MAX_URL)
    events = ArrayField(models.CharField(max_length=30))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    generation = models.PositiveIntegerField(default=1)
    fingerprint = models.CharField(max_length=FINGERPRINT_CHARACTERS)
    created_at = models.DateTimeField(auto_now_add=True)
    disabled_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        """Found by what they watch."""

        constraints = (
            models.CheckConstraint(
                condition=Q(events__contained_by=Event.values) & Q(events__len__gte=1),
                name="notices_hook_events_are_known",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at=None, reason="") | (~Q(disabled_at=None) & ~Q(reason="")),
                name="notices_hook_says_why_it_is_off",
            ),
        )

    def __str__(self) -> str:
        return f"webhook {self.pk}"

    @property
    def watches(self) -> str:
        """A project, or all of a name."""
        return self.project.full_name if self.project else self.owner.name


class State(models.TextChoices):
    """How far a delivery has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    WITHHELD = "withheld"


class Delivery(models.Model):
    """One event for one hook: kept with the event, sent until it is answered well.

    `id` is what the receiver knows it by, the same at each attempt. Whoever sends it moves
    `due_at` on first, by a conditional update: a crash in between costs a second attempt, no event.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="deliveries")
    project = models.ForeignKey(
        "catalog.Project", null=True, on_delete=models.PROTECT, related_name="+"
    )
    kind = models.CharField(max_length=30)
    body = models.TextField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    happened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(max_length=MAX_ANSWER, blank=True)

    class Meta:
        """What is due is found by time, what was sent by its hook."""

        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="notices_delivery_state_is_known"
            ),
        )
        indexes = (
            models.Index(
                fields=("due_at",), condition=Q(state="waiting"), name="notices_delivery_due"
            ),
            models.Index(fields=("hook", "-happened_at"), name="notices_delivery_of_hook"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"


class Mark(models.Model):
    """Up to which revocation the projects under it were told; one row."""

    revocation = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"revocation {self.revocation}"
