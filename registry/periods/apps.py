# SPDX-License-Identifier: Apache-2.0
"""The place of period exports in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class PeriodsConfig(AppConfig):
    """Registers the app under the label `periods`."""

    name = "registry.periods"
    label = "periods"
