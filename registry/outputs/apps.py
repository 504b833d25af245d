# SPDX-License-Identifier: Apache-2.0
"""The outputs app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class OutputsConfig(AppConfig):
    """Registers the app under the label `outputs`."""

    name = "registry.outputs"
    label = "outputs"
