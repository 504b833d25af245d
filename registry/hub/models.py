# SPDX-License-Identifier: Apache-2.0
"""DeviceLogin: a program that waits until somebody, at a browser, says that it may act for them.

Xorb and Extent: what somebody sent by Xet, and in which of their blobs each part of it is.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class DeviceLogin(models.Model):
    """A request of RFC 8628. It ends when its token is issued; of secrets, digests are kept."""

    device_sha256 = models.CharField(max_length=64, unique=True)
    user_code = models.CharField(max_length=16, unique=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    is_denied = models.BooleanField(default=False)
    polled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="hub_device_is_hex", condition=Q(device_sha256__regex=r"^[0-9a-f]{64}$")
            ),
            models.CheckConstraint(
                name="hub_device_is_allowed_or_denied",
                condition=Q(person__isnull=True) | Q(is_denied=False),
            ),
        )


class Xorb(models.Model):
    """Chunks that one holder sent, one after the other: another who sends the same has another row.

    `staged` is the blob of its own bytes, held until files have all of them, or nobody came for
    them; once it is released, only the extents say where its chunks are.
    """

    holder = models.CharField(max_length=80)
    name = models.CharField(max_length=64)
    chunks = models.BinaryField()
    staged = models.CharField(max_length=64, blank=True)
    is_released = models.BooleanField(default=False)
    sent_at = models.DateTimeField()

    class Meta:
        """One row for a holder and a xorb; what waits is found by age."""

        constraints = (
            models.UniqueConstraint(name="hub_xorb_once", fields=("holder", "name")),
            models.CheckConstraint(
                name="hub_xorb_is_named_by_hashes",
                condition=Q(name__regex=r"^[0-9a-f]{64}$") & Q(staged__regex=r"^([0-9a-f]{64})?$"),
            ),
        )
        indexes = (
            models.Index(name="hub_xorb_staged", fields=("sent_at",), condition=~Q(staged="")),
        )


class Extent(models.Model):
    """Chunks of a xorb, `first` up to and not including `end`, as bytes of a blob from `offset`."""

    xorb = models.ForeignKey(Xorb, on_delete=models.CASCADE, related_name="+")
    first = models.IntegerField()
    end = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    offset = models.BigIntegerField()

    class Meta:
        """Some chunks, and not none."""

        constraints = (
            models.CheckConstraint(
                name="hub_extent_has_chunks",
                condition=Q(first__gte=0) & Q(end__gt=models.F("first")) & Q(offset__gte=0),
            ),
        )
