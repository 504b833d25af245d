# SPDX-License-Identifier: Apache-2.0
"""The conduct app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class ConductConfig(AppConfig):
    """Registers the app under the label `conduct`."""

    name = "registry.conduct"
    label = "conduct"
