# SPDX-License-Identifier: Apache-2.0
"""The addresses of the catalogue; registry/urls.py includes them last, for their open patterns."""

from __future__ import annotations

from django.urls import path, register_converter

from . import api, gate_api, gate_pages, governing_pages, pages, pull_pages, takedown_api
from .converters import Digest

register_converter(Digest, "digest")

PROJECT = "api/v1/projects/<str:owner>/<str:project>"
BY_ID = "api/v1/checkpoints/sha256:<digest:sha256>"

urlpatterns = [
    path("api/v1/projects", api.ProjectsView.as_view(), name="api-projects"),
    path(PROJECT, api.ProjectView.as_view(), name="api-project"),
    path(f"{PROJECT}/checkpoints", api.CheckpointsView.as_view(), name="api-checkpoints"),
    path(
        f"{PROJECT}/checkpoints/<str:checkpoint>",
        api.CheckpointView.as_view(),
        name="api-checkpoint",
    ),
    path(
        f"{PROJECT}/takedown", takedown_api.ProjectTakedownView.as_view(), name="project-takedown"
    ),
    path(
        f"{PROJECT}/checkpoints/<str:checkpoint>/takedown",
        takedown_api.CheckpointTakedownView.as_view(),
        name="checkpoint-takedown",
    ),
    path(f"{PROJECT}/access", gate_api.AccessView.as_view(), name="api-access"),
    path(f"{PROJECT}/access/gate", gate_api.GateView.as_view(), name="api-gate"),
    path(
        f"{PROJECT}/access/requests",
        gate_api.AccessRequestsView.as_view(),
        name="api-access-requests",
    ),
    path(BY_ID, api.CheckpointByIdView.as_view(), name="api-checkpoint-by-id"),
    path(f"{BY_ID}/evidence", api.EvidenceView.as_view(), name="api-evidence"),
    path(f"{BY_ID}/manifest", api.ManifestView.as_view(), name="api-manifest"),
    path(f"{BY_ID}/tensors", api.TensorsView.as_view(), name="api-tensors"),
    path("api/v1/by-hash/<digest:sha256>", api.ByHashView.as_view(), name="api-by-hash"),
    path("files", pages.files, name="files"),
    path("files/<digest:sha256>", pages.file, name="file"),
    path("projects", pages.project_list, name="projects"),
    path(
        "<str:owner>/<str:project>/settings/access", governing_pages.access, name="project-access"
    ),
    path("<str:owner>/<str:project>/settings/ask", gate_pages.ask, name="project-ask"),
    path(
        "<str:owner>/<str:project>/settings/requests", gate_pages.requests, name="project-requests"
    ),
    path("<str:owner>/<str:project>/discussions", pull_pages.listing, name="pulls"),
    path("<str:owner>/<str:project>/discussions/<int:number>", pull_pages.one, name="pull"),
    path("<str:owner>/<str:project>", pages.project, name="project"),
    path("<str:owner>/<str:project>/<str:checkpoint>", pages.checkpoint, name="checkpoint"),
    path(
        "<str:owner>/<str:project>/<str:checkpoint>/citation/<str:name>",
        pages.citation,
        name="citation",
    ),
]
