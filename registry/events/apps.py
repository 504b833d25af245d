# SPDX-License-Identifier: Apache-2.0
"""The events app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """Registers the app under the label `events`."""

    name = "registry.events"
    label = "events"
