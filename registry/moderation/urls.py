# SPDX-License-Identifier: Apache-2.0
"""The addresses of moderation: reporting, cases, and what came of them all."""

from __future__ import annotations

from django.urls import path

from . import api, pages

CASE = "community/cases/<uuid:case_id>"

urlpatterns = [
    path("community/report", pages.report, name="report"),
    path("community/cases", pages.cases, name="cases"),
    path(CASE, pages.case, name="case"),
    path(f"{CASE}/case-file.json", pages.case_file, name="case-file"),
    path(f"{CASE}/proposals", pages.propose, name="case-propose"),
    path(f"{CASE}/proposals/<int:decision_id>", pages.answer, name="case-answer"),
    path(f"{CASE}/appeal", pages.appeal, name="case-appeal"),
    path("transparency", pages.transparency, name="transparency"),
    path("api/v1/reports", api.ReportsView.as_view(), name="api-reports"),
    path("api/v1/transparency", api.TransparencyView.as_view(), name="api-transparency"),
]
