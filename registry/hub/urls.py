# SPDX-License-Identifier: Apache-2.0
"""The addresses of the Hub's protocol that Django answers; files are streamed by resolve.py."""

from __future__ import annotations

from django.urls import path, re_path

from . import governing, infos, leading, lfs, pages, repos, whoami, writing

urlpatterns = [
    path("oauth/device", pages.device, name="hub-device"),
    path("oauth/token", pages.token, name="hub-token"),
    path("oauth/activate", pages.activate, name="hub-activate"),
    path("api/whoami-v2", whoami.whoami, name="hub-whoami"),
    path("api/validate-yaml", whoami.validate_yaml, name="hub-validate-yaml"),
    path("api/repos/create", writing.create, name="hub-create"),
    path("api/repos/delete", governing.delete, name="hub-delete"),
    path("api/repos/move", governing.move, name="hub-move"),
    path("api/lfs/verify", lfs.verify, name="hub-lfs-verify"),
    path("<str:owner>/<str:name>.git/info/lfs/objects/batch", lfs.batch, name="hub-lfs-batch"),
    path("api/models", infos.models, name="hub-models"),
    re_path(r"^api/(?P<kind>datasets|spaces|kernels)(/.*)?$", leading.other_kinds),
    re_path(
        r"^(?P<owner>[^/]+)/(?P<name>[^/]+)/(?:commit|tree|blob)/.+$",
        leading.to_checkpoint,
        name="hub-page",
    ),
    path("api/models/<path:rest>", repos.repo, name="hub-repo"),
]
