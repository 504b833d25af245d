# SPDX-License-Identifier: Apache-2.0
"""Who a person is at a provider, and tokens that were exchanged."""

from __future__ import annotations

from django.conf import settings
from django.db import models

MAX_SUBJECT = 255  # OpenID Connect Core 1.0, section 2


class Identity(models.Model):
    """That somebody at a provider is a person of ours. `subject` is all that is kept of them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    issuer = models.CharField(max_length=400)
    subject = models.CharField(max_length=MAX_SUBJECT)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Nobody at a provider is two people here."""

        constraints = (
            models.UniqueConstraint(name="oidc_identity_once", fields=("issuer", "subject")),
        )

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"


class UsedToken(models.Model):
    """A token that may be exchanged once, by the SHA-256 of its name; kept until it expired."""

    sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"token {self.sha256[:12]} until {self.expires_at}"
