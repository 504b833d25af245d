# SPDX-License-Identifier: Apache-2.0
"""The moderation app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class ModerationConfig(AppConfig):
    """Registers the app under the label `moderation`."""

    name = "registry.moderation"
    label = "moderation"
