# SPDX-License-Identifier: Apache-2.0
"""The imports app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Registers the app under the label `imports`."""

    name = "registry.imports"
    label = "imports"
