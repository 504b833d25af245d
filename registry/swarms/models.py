# SPDX-License-Identifier: Apache-2.0
"""Pieces: the digests of a blob's parts, by which a program repairs one without the others."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Pieces(models.Model):
    """Made once for a blob, when somebody first asked; empty until then. It goes with the blob."""

    blob = models.OneToOneField(
        "storage.Blob", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)
    piece_bytes = models.BigIntegerField(default=0)
    sha256s = models.BinaryField(default=b"")
    sha1s = models.BinaryField(default=b"")
    layer = models.BinaryField(default=b"")
    root = models.BinaryField(default=b"")

    class Meta:
        """All of it is there, or nothing."""

        constraints = (
            models.CheckConstraint(
                name="swarms_pieces_made_are_whole",
                condition=Q(made_at__isnull=True, piece_bytes=0) | Q(piece_bytes__gt=0),
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)
