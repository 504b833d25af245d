# SPDX-License-Identifier: Apache-2.0
"""Django's name for this app."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Stands right of every other app and may read all of them."""

    name = "registry.site"
    label = "site"
