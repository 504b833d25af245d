# SPDX-License-Identifier: Apache-2.0
"""The storage app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """Registers the app under the label `storage`."""

    name = "registry.storage"
    label = "storage"
