# SPDX-License-Identifier: Apache-2.0
"""The addresses of imports."""

from __future__ import annotations

from django.urls import path

from .api import ImportsView, ImportView

PROJECT = "api/v1/projects/<str:owner>/<str:project>"

urlpatterns = [
    path(f"{PROJECT}/imports", ImportsView.as_view(), name="imports"),
    path(f"{PROJECT}/imports/<uuid:import_id>", ImportView.as_view(), name="import"),
]
