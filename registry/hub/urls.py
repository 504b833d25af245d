# SPDX-License-Identifier: Apache-2.0
"""The addresses of the Hub's protocol that Django answers; files are streamed by resolve.py."""

from __future__ import annotations

from django.urls import path

from . import infos, lfs, repos, whoami, writing

urlpatterns = [
    path("api/whoami-v2", whoami.whoami, name="hub-whoami"),
    path("api/validate-yaml", whoami.validate_yaml, name="hub-validate-yaml"),
    path("api/repos/create", writing.create, name="hub-create"),
    path("api/lfs/verify", lfs.verify, name="hub-lfs-verify"),
    path("<str:owner>/<str:name>.git/info/lfs/objects/batch", lfs.batch, name="hub-lfs-batch"),
    path("api/models", infos.models, name="hub-models"),
    path("api/models/<path:rest>", repos.repo, name="hub-repo"),
]
