# SPDX-License-Identifier: Apache-2.0
"""The mlflow app's place in the Django project; it has no rows: everything is the catalogue's."""

from __future__ import annotations

from django.apps import AppConfig


class MlflowConfig(AppConfig):
    """Registers the app under the label `mlflow`."""

    name = "registry.mlflow"
    label = "mlflow"
