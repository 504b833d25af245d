# SPDX-License-Identifier: Apache-2.0
"""What is to be converted, and what came of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

MAX_SOURCE_NAME = 200
MAX_NAME = 1024
MAX_REASON = 400


class State(models.TextChoices):
    """How far an import has come."""

    WAITING = "waiting"
    CONVERTED = "converted"
    DONE = "done"
    REFUSED = "refused"


UNDERWAY = (State.WAITING, State.CONVERTED)


class Import(models.Model):
    """A file of torch.save's that becomes a file of safetensors of a project, in a commit.

    The bytes of the source are held under the sender's staged name until it ended, and then not.
    `had_result` is whether the sender held those of the result before it was made.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project = models.ForeignKey("catalog.Project", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    holder = models.CharField(max_length=80, blank=True)
    source_name = models.CharField(max_length=MAX_SOURCE_NAME)
    source_sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=MAX_NAME)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    result_sha256 = models.CharField(max_length=64, blank=True)
    result_bytes = models.BigIntegerField(null=True)
    had_result = models.BooleanField(default=True)
    oid = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("person", "source_sha256"),
                condition=Q(state__in=UNDERWAY),
                name="imports_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="imports_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNDERWAY, ended_at__isnull=True)
                | (~Q(state__in=UNDERWAY) & Q(ended_at__isnull=False)),
                name="imports_ended_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(State.CONVERTED, State.DONE))
                | (~Q(result_sha256="") & Q(result_bytes__isnull=False)),
                name="imports_converted_has_a_result",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.DONE) | ~Q(oid=""), name="imports_done_has_an_oid"
            ),
            models.CheckConstraint(
                condition=~Q(state=State.REFUSED) | ~Q(reason=""),
                name="imports_refused_has_a_reason",
            ),
        )
        indexes = (
            models.Index(
                fields=("created_at",), condition=Q(state__in=UNDERWAY), name="imports_underway"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source_name} ({self.state})"

    @property
    def is_done(self) -> bool:
        """That there is a revision of it."""
        return self.state == State.DONE

    @property
    def unpublished(self) -> frozenset[str]:
        """The result, if its sender holds it because of this, and nothing was committed of it."""
        is_left = self.result_sha256 and not self.had_result and not self.oid
        return frozenset({self.result_sha256} if is_left else ())

    @property
    def actor(self) -> str:
        """Who asked: the holder of a project's token, or the person."""
        return self.holder or self.person.actor
