# SPDX-License-Identifier: Apache-2.0
"""The pool app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class PoolConfig(AppConfig):
    """Registers the app under the label `pool`."""

    name = "registry.pool"
    label = "pool"
