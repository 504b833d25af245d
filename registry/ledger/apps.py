# SPDX-License-Identifier: Apache-2.0
"""The ledger app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Registers the app under the label `ledger`."""

    name = "registry.ledger"
    label = "ledger"
