# SPDX-License-Identifier: Apache-2.0
"""The addresses of conduct."""

from __future__ import annotations

from django.urls import path

from . import api, draft_pages, pages

VERSION = "conduct/<slug:policy>/<str:number>"

EDIT = "conduct/<slug:policy>/edit"

urlpatterns = [
    path("conduct/new", draft_pages.new, name="conduct-new"),
    path(EDIT, draft_pages.edit, name="conduct-edit"),
    path(f"{EDIT}/clause", draft_pages.clause, name="conduct-new-clause"),
    path(f"{EDIT}/clause/<slug:key>", draft_pages.clause, name="conduct-clause"),
    path(f"{EDIT}/preview", draft_pages.preview, name="conduct-preview"),
    path("conduct/<slug:policy>/organisations", pages.organisations, name="conduct-organisations"),
    path(f"{VERSION}/organisations", pages.organisations, name="conduct-organisations-of-version"),
    path(VERSION, pages.version, name="conduct-version"),
    path("settings/conduct", pages.acceptances, name="conduct-acceptances"),
    path("settings/conduct/<int:number>/<str:name>", pages.piece, name="conduct-consent-piece"),
    path("conduct/<slug:policy>", pages.policy, name="conduct-policy"),
    path(f"{VERSION}/changes", pages.changes, name="conduct-changes"),
    path(f"{VERSION}/answer", pages.answer, name="conduct-answer"),
    path(f"api/v1/{VERSION}", api.VersionView.as_view(), name="api-conduct-version"),
    path(
        f"api/v1/{VERSION}/acceptances",
        api.AcceptancesView.as_view(),
        name="api-conduct-acceptances",
    ),
    path(
        f"api/v1/{VERSION}/acceptances/<str:owner>",
        api.AcceptanceView.as_view(),
        name="api-conduct-acceptance",
    ),
    path(
        f"api/v1/{VERSION}/acceptances/<str:owner>/evidence",
        api.AcceptanceEvidenceView.as_view(),
        name="api-conduct-acceptance-evidence",
    ),
]
