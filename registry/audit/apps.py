# SPDX-License-Identifier: Apache-2.0
"""The audit app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Registers the app under the label `audit`."""

    name = "registry.audit"
    label = "audit"
