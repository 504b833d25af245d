# SPDX-License-Identifier: Apache-2.0
"""The addresses of the catalogue; registry/urls.py includes them last, for their open patterns."""

from __future__ import annotations

from django.urls import path

from .api import dois as doi_api
from .api import evaluations as evaluation_api
from .api import exports as export_api
from .api import gates as gate_api
from .api import governing as governing_api
from .api import projects as api
from .api import takedowns as takedown_api
from .pages import dois as doi_pages
from .pages import gates as gate_pages
from .pages import governing as governing_pages
from .pages import projects as pages
from .pages import pulls as pull_pages

PROJECT = "api/v1/projects/<str:owner>/<str:project>"
EVALUATIONS = f"{PROJECT}/checkpoints/<str:checkpoint>/evaluations"
EVALUATION = f"{EVALUATIONS}/<uuid:evaluation>"
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
    path(
        f"{PROJECT}/checkpoints/<str:checkpoint>/exports/<str:name>",
        export_api.ExportView.as_view(),
        name="api-export",
    ),
    path(f"{PROJECT}/checkpoints/<str:checkpoint>/doi", doi_api.DoiView.as_view(), name="api-doi"),
    path(EVALUATIONS, evaluation_api.EvaluationsView.as_view(), name="api-evaluations"),
    path(EVALUATION, evaluation_api.EvaluationView.as_view(), name="api-evaluation"),
    path(
        f"{EVALUATION}/evidence",
        evaluation_api.EvaluationEvidenceView.as_view(),
        name="api-evaluation-evidence",
    ),
    path(
        f"{EVALUATION}/withdrawal",
        evaluation_api.EvaluationWithdrawalView.as_view(),
        name="api-evaluation-withdrawal",
    ),
    path(f"{PROJECT}/access", gate_api.AccessView.as_view(), name="api-access"),
    path(f"{PROJECT}/conduct", governing_api.RulesView.as_view(), name="api-rules"),
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
    path("api/v1/by-hash/<str:sought>", api.ByHashView.as_view(), name="api-by-hash"),
    path("files", pages.files, name="files"),
    path("files/<str:sought>", pages.file, name="file"),
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
    path("<str:owner>/<str:project>/<str:checkpoint>/doi", doi_pages.ask, name="checkpoint-doi"),
    path(
        "<str:owner>/<str:project>/<str:checkpoint>/citation/<str:name>",
        pages.citation,
        name="citation",
    ),
]
