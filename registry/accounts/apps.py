# SPDX-License-Identifier: Apache-2.0
"""The accounts app's place in the Django project."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the app under the label `accounts`."""

    name = "registry.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Lets the OpenAPI document know our tokens."""
        import_module("registry.accounts.schema")
