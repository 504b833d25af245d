# SPDX-License-Identifier: Apache-2.0
"""The swarms app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class SwarmsConfig(AppConfig):
    """Registers the app under the label `swarms`."""

    name = "registry.swarms"
    label = "swarms"
