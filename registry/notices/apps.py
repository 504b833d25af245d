# SPDX-License-Identifier: Apache-2.0
"""The notices app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Registers the app under the label `notices`."""

    name = "registry.notices"
    label = "notices"
