# SPDX-License-Identifier: Apache-2.0
"""The addresses of outputs, and of the generation program's work."""

from __future__ import annotations

from django.urls import path

from . import api, pages
from .batches import api as batches
from .media import api as media
from .openai import api as openai
from .openai import images
from .openai.views import NothingView
from .own import api as own
from .pictures import api as pictures
from .pictures import resolving

urlpatterns = [
    path("outputs/<uuid:output_id>", pages.output, name="output"),
    path("detect", pages.detect, name="detect"),
    path("api/v1/outputs", api.OutputsView.as_view(), name="api-outputs"),
    path("api/v1/outputs/sign", api.AssertionsView.as_view(), name="api-outputs-sign"),
    path("api/v1/outputs/media", media.MediaView.as_view(), name="api-outputs-media"),
    path("api/v1/outputs/sidecar", media.SidecarView.as_view(), name="api-outputs-sidecar"),
    path(
        "api/v1/outputs/certificates",
        own.CertificatesView.as_view(),
        name="api-outputs-certificates",
    ),
    path("api/v1/outputs/statements", own.StatementsView.as_view(), name="api-outputs-statements"),
    path("api/v1/outputs/manifests", own.ManifestsView.as_view(), name="api-outputs-manifests"),
    path("api/v1/outputs/own", own.OwnView.as_view(), name="api-outputs-own"),
    path("api/v1/outputs/batch", batches.BatchesView.as_view(), name="api-outputs-batch"),
    path(
        "api/v1/outputs/batches",
        batches.OwnBatchesView.as_view(),
        name="api-outputs-own-batches",
    ),
    path(
        "api/v1/outputs/batches/<uuid:batch_id>",
        batches.BatchView.as_view(),
        name="api-outputs-batches",
    ),
    path(
        "api/v1/outputs/batches/<uuid:batch_id>/proofs",
        batches.ProofsView.as_view(),
        name="api-outputs-proofs",
    ),
    path("api/v1/outputs/<uuid:output_id>", api.OutputView.as_view(), name="api-output"),
    path("api/v1/outputs/<uuid:output_id>/pack", api.PackView.as_view(), name="api-output-pack"),
    path(
        "api/v1/outputs/by-content/<str:sought>",
        api.ByContentView.as_view(),
        name="api-outputs-by-content",
    ),
    path(
        "api/v1/outputs/<uuid:output_id>/content",
        pictures.ContentView.as_view(),
        name="api-output-content",
    ),
    path("api/v1/detect/picture", pictures.DetectView.as_view(), name="api-detect-picture"),
    path("api/v1/detect", api.DetectView.as_view(), name="api-detect"),
    path("api/v1/generation/lease", api.WorkView.as_view(), name="api-generation-lease"),
    path(
        "api/v1/generation/<uuid:lease_id>/complete",
        api.CompletionView.as_view(),
        name="api-generation-complete",
    ),
    path(
        "api/v1/generation/<uuid:lease_id>/fail",
        api.FailureView.as_view(),
        name="api-generation-fail",
    ),
    path("v1/completions", openai.CompletionsView.as_view(), name="openai-completions"),
    path("v1/chat/completions", openai.ChatView.as_view(), name="openai-chat"),
    path("v1/images/generations", images.ImagesView.as_view(), name="openai-images"),
    path("v1/models", openai.ModelsView.as_view(), name="openai-models"),
    path("v1/models/<path:model>", openai.ModelView.as_view(), name="openai-model"),
    path("v1/<path:other>", NothingView.as_view(), name="openai-nothing"),
    path(
        "c2pa/services/supportedAlgorithms",
        resolving.AlgorithmsView.as_view(),
        name="c2pa-algorithms",
    ),
    path("c2pa/matches/byBinding", resolving.ByBindingView.as_view(), name="c2pa-by-binding"),
    path("c2pa/matches/byContent", resolving.ByContentView.as_view(), name="c2pa-by-content"),
    path(
        "c2pa/manifests/<str:manifest_id>", resolving.ManifestView.as_view(), name="c2pa-manifest"
    ),
]
