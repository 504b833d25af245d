# SPDX-License-Identifier: Apache-2.0
"""The authority app's place in the Django project."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class AuthorityConfig(AppConfig):
    """Registers the app under the label `authority`, and its system checks."""

    name = "registry.authority"
    label = "authority"

    def ready(self) -> None:
        """Models exist from here on: the checks may import what reads them."""
        import_module("registry.authority.checks")
