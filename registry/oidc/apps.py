# SPDX-License-Identifier: Apache-2.0
"""The oidc app's place in the Django project."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class OidcConfig(AppConfig):
    """Registers the app under the label `oidc`, and its system check."""

    name = "registry.oidc"
    label = "oidc"

    def ready(self) -> None:
        """The check reads the operator's file of providers once, when the program starts."""
        import_module("registry.oidc.checks")
