# SPDX-License-Identifier: Apache-2.0
"""The sigstore app's place in the Django project."""

from __future__ import annotations

from django.apps import AppConfig


class SigstoreConfig(AppConfig):
    """Registers the app under the label `sigstore`."""

    name = "registry.sigstore"
    label = "sigstore"
