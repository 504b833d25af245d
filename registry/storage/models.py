# SPDX-License-Identifier: Apache-2.0
"""Blob: bytes we hold, named by digest. Holding: who has sent them, and may therefore read them.

Usage: how many bytes that makes for each holder, and how many they may be. WaitingPart: a part of
a blob that has come before the rest of it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Blob(models.Model):
    """Bytes in their place (places.py), hashed and durable before this row was written.

    Damaged is what was found to be others, and is not served; copied what the second copy has.
    `git_oid` is empty for large ones, and for those that nobody asked about (git.py).
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    size_bytes = models.BigIntegerField()
    git_oid = models.CharField(max_length=40, blank=True, default="")
    stored_at = models.DateTimeField(auto_now_add=True)
    damaged_at = models.DateTimeField(null=True)
    is_copied = models.BooleanField(default=False)

    class Meta:
        """Digests are lower-case hexadecimal, whoever writes the row."""

        constraints = (
            models.CheckConstraint(
                name="storage_blob_sha256_is_hex", condition=Q(sha256__regex=r"^[0-9a-f]{64}$")
            ),
            models.CheckConstraint(
                name="storage_blob_size_is_not_negative", condition=Q(size_bytes__gte=0)
            ),
        )
        indexes = (
            models.Index(
                name="storage_blob_damaged",
                fields=("sha256",),
                condition=Q(damaged_at__isnull=False),
            ),
            models.Index(
                name="storage_blob_uncopied", fields=("sha256",), condition=Q(is_copied=False)
            ),
        )


class Scrub(models.Model):
    """One pass over all blobs in the order of their digests: how far it is, and what it found."""

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    position = models.CharField(max_length=64, blank=True, default="")
    blobs = models.BigIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    damaged = models.IntegerField(default=0)
    repaired = models.IntegerField(default=0)
    copied = models.IntegerField(default=0)

    class Meta:
        """One at a time."""

        constraints = (
            models.UniqueConstraint(
                name="storage_one_scrub_at_a_time",
                fields=("ended_at",),
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
            ),
        )

    def outcome(self) -> dict[str, object]:
        """What it did, for the audit and for people."""
        return {
            "blobs": self.blobs,
            "size_bytes": self.size_bytes,
            "damaged": self.damaged,
            "repaired": self.repaired,
            "copied": self.copied,
        }


class Usage(models.Model):
    """How much a holder has here and may have; None is what ASSAY_STORAGE_QUOTA says.

    The row is also the lock under which the holder's bytes are counted.
    """

    holder = models.CharField(max_length=80, primary_key=True)
    used_bytes = models.BigIntegerField(default=0)
    allowed_bytes = models.BigIntegerField(null=True)

    class Meta:
        """Nobody has less than nothing."""

        constraints = (
            models.CheckConstraint(
                name="storage_usage_is_not_negative",
                condition=Q(used_bytes__gte=0)
                & (Q(allowed_bytes__isnull=True) | Q(allowed_bytes__gte=0)),
            ),
        )


class Holding(models.Model):
    """That the actor has sent these bytes: knowing a digest is no proof of having the content."""

    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    holder = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """One row for an actor and a blob."""

        constraints = (
            models.UniqueConstraint(name="storage_holding_once", fields=("blob", "holder")),
        )


class WaitingPart(models.Model):
    """The `number`-th part of the blob `whole`, as it came last; its bytes are in `file`.

    It counts against what its holder may store (quotas.py), and a day after the last that came of
    its blob it is swept (assembling.py).
    """

    holder = models.CharField(max_length=80)
    whole = models.CharField(max_length=64)
    whole_bytes = models.BigIntegerField()
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    file = models.CharField(max_length=32, unique=True)
    came_at = models.DateTimeField()

    class Meta:
        """One of a number: whoever comes later takes its place."""

        constraints = (
            models.UniqueConstraint(name="storage_part_once", fields=("holder", "whole", "number")),
            models.CheckConstraint(
                name="storage_part_sizes_are_not_negative",
                condition=Q(whole_bytes__gte=0) & Q(size_bytes__gte=0),
            ),
        )
