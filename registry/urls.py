# SPDX-License-Identifier: Apache-2.0
"""All addresses: each app's urls.py names whole paths, as docs/spec/http.md writes them.

The catalogue comes last, because `/{owner}/{project}` takes every name that is not reserved
(accounts/names.py). Blobs and files never arrive here: asgi.py hands them to storage/streams.py.
"""

from __future__ import annotations

from django.urls import include, path, register_converter
from drf_spectacular.views import SpectacularJSONAPIView

from registry.api.converters import Digest
from registry.api.kinds import problem_kind

register_converter(Digest, "digest")

APPS = (
    "accounts",
    "oidc",
    "ledger",
    "timestamps",
    "conduct",
    "authority",
    "sigstore",
    "publishers",
    "hub",
    "notices",
    "imports",
    "mlflow",
    "pool",
    "outputs",
    "moderation",
    "periods",
    "site",
    "catalog",
)
handler400 = "registry.api.pages.bad_request"
handler403 = "registry.api.pages.forbidden"
handler404 = "registry.api.pages.not_found"
handler500 = "registry.api.pages.server_error"

urlpatterns = [
    path("errors/<slug:code>", problem_kind, name="problem-kind"),
    path("api/v1/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    *(path("", include(f"registry.{app}.urls")) for app in APPS),
]
