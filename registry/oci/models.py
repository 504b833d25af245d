# SPDX-License-Identifier: Apache-2.0
"""Named: which checkpoint a digest leads back to."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Named(models.Model):
    """A document that is made of a checkpoint (images.py), by the digest of its bytes.

    All those of a checkpoint are written at once, when it is first pulled or swept, and never
    change, as nothing does that they are made of. Whether it is published is asked each time.
    """

    sha256 = models.CharField(max_length=64)
    checkpoint = models.ForeignKey("catalog.Checkpoint", on_delete=models.CASCADE, related_name="+")

    class Meta:
        """Two projects may have the same files, and so the same manifest."""

        constraints = (
            models.UniqueConstraint(name="oci_named_once", fields=("sha256", "checkpoint")),
            models.CheckConstraint(
                name="oci_named_is_hex", condition=Q(sha256__regex=r"^[0-9a-f]{64}$")
            ),
        )

    def __str__(self) -> str:
        return self.sha256
