# SPDX-License-Identifier: Apache-2.0
"""The oci app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class OciConfig(AppConfig):
    """Registers the app under the label `oci`."""

    name = "registry.oci"
    label = "oci"
