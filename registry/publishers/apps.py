# SPDX-License-Identifier: Apache-2.0
"""The publishers app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class PublishersConfig(AppConfig):
    """Registers the app under the label `publishers`."""

    name = "registry.publishers"
    label = "publishers"
