# SPDX-License-Identifier: Apache-2.0
"""Codes that a person's own program exchanges for an identity token (RFC 6749, RFC 7636)."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Code(models.Model):
    """That a person agreed to be vouched for, once, to a program of theirs.

    Only the code's SHA-256 is kept; the challenge is that of the program's own secret.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    redirect_uri = models.CharField(max_length=400)
    challenge = models.CharField(max_length=43)
    nonce = models.CharField(max_length=256, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        """Looked for by age when they are swept away."""

        indexes = (models.Index(name="sigstore_code_by_age", fields=("expires_at",)),)

    def __str__(self) -> str:
        return f"code {self.sha256[:12]} until {self.expires_at}"
