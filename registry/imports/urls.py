# SPDX-License-Identifier: Apache-2.0
"""The addresses of imports."""

from __future__ import annotations

from django.urls import path

from . import pages
from .api import ImportsView, ImportView

PROJECT = "api/v1/projects/<str:owner>/<str:project>"

urlpatterns = [
    path(f"{PROJECT}/imports", ImportsView.as_view(), name="imports"),
    path(f"{PROJECT}/imports/<uuid:import_id>", ImportView.as_view(), name="import"),
    path("<str:owner>/<str:project>/settings/imports", pages.imports, name="imports-page"),
]
