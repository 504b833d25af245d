# SPDX-License-Identifier: Apache-2.0
"""Run, Lease (one machine's claim on a run, for a while) and LossPoint.

A lease's `fence` counts the run's leases: whoever writes for a run holds its newest one, which the
database itself keeps the only active one.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class RunState(models.TextChoices):
    """How far a run has come; open means that no node works on it."""

    OPEN = "open"
    RUNNING = "running"
    COMPLETED = "completed"


class Run(models.Model):
    """One training of a project. `step` is how far it has come, as its node says."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("catalog.Project", on_delete=models.PROTECT, related_name="+")
    recipe = models.JSONField()
    dataset = models.ForeignKey("catalog.Dataset", on_delete=models.PROTECT, related_name="+")
    conduct = models.ForeignKey("conduct.PolicyVersion", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.OPEN)
    steps = models.PositiveIntegerField()
    step = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="pool_run_state_is_known", condition=Q(state__in=RunState.values)
            ),
            models.CheckConstraint(
                name="pool_run_step_within_steps", condition=Q(step__lte=F("steps"))
            ),
            models.CheckConstraint(
                name="pool_run_ended_has_time",
                condition=Q(state="completed", ended_at__isnull=False)
                | Q(state__in=("open", "running"), ended_at__isnull=True),
            ),
        )
        indexes = (
            # What a lease is looked for in: rarely more than a handful.
            models.Index(name="pool_run_open", fields=("created_at",), condition=Q(state="open")),
            models.Index(name="pool_run_of_project", fields=("project", "-created_at")),
        )

    def __str__(self) -> str:
        return f"run {self.id} ({self.state})"

    @property
    def topic(self) -> str:
        """The event topic on which followers hear of it."""
        return f"run:{self.id}"

    @property
    def path(self) -> str:
        """The page's path."""
        return f"{self.project.path}/runs/{self.id}"


class LeaseState(models.TextChoices):
    """What became of a lease: lost means that its holder was not heard of in time."""

    ACTIVE = "active"
    RELEASED = "released"
    COMPLETED = "completed"
    LOST = "lost"


class Lease(models.Model):
    """A node's claim on a run. `step` is how far the node says it has come."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey("accounts.Node", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=LeaseState.choices, default=LeaseState.ACTIVE)
    fence = models.PositiveIntegerField()
    step = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="pool_lease_one_active_for_a_run",
                fields=("run",),
                condition=Q(state="active"),
            ),
            models.UniqueConstraint(
                name="pool_lease_one_active_for_a_node",
                fields=("node",),
                condition=Q(state="active"),
            ),
            models.UniqueConstraint(name="pool_lease_fence", fields=("run", "fence")),
            models.CheckConstraint(
                name="pool_lease_state_is_known", condition=Q(state__in=LeaseState.values)
            ),
            models.CheckConstraint(
                name="pool_lease_ended_has_time",
                condition=Q(state="active", ended_at__isnull=True)
                | (~Q(state="active") & Q(ended_at__isnull=False)),
            ),
        )
        indexes = (
            models.Index(
                name="pool_lease_by_expiry", fields=("expires_at",), condition=Q(state="active")
            ),
        )

    def __str__(self) -> str:
        return f"lease {self.id} ({self.state})"


class LossPoint(models.Model):
    """What one step cost, in nats per byte; a step that was trained again has its last telling."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    step = models.PositiveIntegerField()
    bytes_seen = models.BigIntegerField()
    train = models.DecimalField(max_digits=18, decimal_places=9)
    validation = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    seconds = models.DecimalField(max_digits=18, decimal_places=6)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="pool_loss_once_a_step", fields=("run", "step")),
        )

    def __str__(self) -> str:
        return f"step {self.step}: {self.train}"
