# SPDX-License-Identifier: Apache-2.0
"""The catalog app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Registers the app under the label `catalog`."""

    name = "registry.catalog"
    label = "catalog"
