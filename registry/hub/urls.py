# SPDX-License-Identifier: Apache-2.0
"""The addresses of the Hub's protocol that Django answers; files are streamed by resolve.py."""

from __future__ import annotations

from django.urls import path

from . import infos, repos, whoami

urlpatterns = [
    path("api/whoami-v2", whoami.whoami, name="hub-whoami"),
    path("api/validate-yaml", whoami.validate_yaml, name="hub-validate-yaml"),
    path("api/models", infos.models, name="hub-models"),
    path("api/models/<path:rest>", repos.repo, name="hub-repo"),
]
