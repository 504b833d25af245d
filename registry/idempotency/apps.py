# SPDX-License-Identifier: Apache-2.0
"""The idempotency app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    """Registers the app under the label `idempotency`."""

    name = "registry.idempotency"
    label = "idempotency"
