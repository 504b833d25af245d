# SPDX-License-Identifier: Apache-2.0
"""The timestamps app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class TimestampsConfig(AppConfig):
    """Registers the app under the label `timestamps`."""

    name = "registry.timestamps"
    label = "timestamps"
