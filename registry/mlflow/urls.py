# SPDX-License-Identifier: Apache-2.0
"""The addresses of MLflow's protocol that Django answers; files are streamed by serving.py."""

from __future__ import annotations

from django.urls import path

from . import pages

API = "api/2.0/mlflow"
urlpatterns = [
    path(f"{API}/registered-models/search", pages.search_models, name="mlflow-models"),
    path(f"{API}/registered-models/get", pages.get_model, name="mlflow-model"),
    path(f"{API}/registered-models/alias", pages.by_alias, name="mlflow-alias"),
    path(f"{API}/model-versions/search", pages.search_versions, name="mlflow-versions"),
    path(f"{API}/model-versions/get", pages.get_version, name="mlflow-version"),
    path(f"{API}/model-versions/get-download-uri", pages.download_uri, name="mlflow-uri"),
    path("api/2.0/mlflow-artifacts/artifacts", pages.artifacts, name="mlflow-artifacts"),
]
