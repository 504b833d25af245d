# SPDX-License-Identifier: Apache-2.0
"""DeviceLogin: a program that waits until somebody, at a browser, says that it may act for them."""

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
