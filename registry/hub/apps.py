# SPDX-License-Identifier: Apache-2.0
"""The hub app's place in the Django project; what is published is the catalogue's."""

from __future__ import annotations

from django.apps import AppConfig


class HubConfig(AppConfig):
    """Registers the app under the label `hub`."""

    name = "registry.hub"
    label = "hub"
