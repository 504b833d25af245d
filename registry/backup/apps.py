# SPDX-License-Identifier: Apache-2.0
"""The backup app's place in the Django project: it has commands, and no tables."""

from __future__ import annotations

from django.apps import AppConfig


class BackupConfig(AppConfig):
    """Registers the app under the label `backup`."""

    name = "registry.backup"
    label = "backup"
