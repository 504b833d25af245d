# SPDX-License-Identifier: Apache-2.0
"""Who people are at providers. Changes nothing."""

from __future__ import annotations

from django.db.models import QuerySet

from registry.accounts.queries import User

from .models import Identity


def identities_of(user: User) -> QuerySet[Identity]:
    """By whom the person signs in, the oldest first."""
    return Identity.objects.filter(user=user).order_by("id")
