# SPDX-License-Identifier: Apache-2.0
"""The addresses of period exports."""

from __future__ import annotations

from django.urls import path

from . import api, pages

urlpatterns = [
    path("settings/exports", pages.export, name="period-exports"),
    path("api/v1/period-exports", api.PeriodExportsView.as_view(), name="api-period-exports"),
]
