# SPDX-License-Identifier: Apache-2.0
"""The addresses of the private Sigstore; where clients want them, not where we would."""

from __future__ import annotations

from django.urls import path

from . import api, pages, stamping

WELL_KNOWN = ".well-known/assay"

urlpatterns = [
    path("api/v2/signingCert", api.signing_certificate, name="signing-certificate"),
    path("api/v2/trustBundle", api.trust_bundle, name="trust-bundle"),
    path("api/v2/configuration", api.configuration, name="fulcio-configuration"),
    path("api/v2/log/entries", api.log_entry, name="log-entry"),
    path("api/v1/timestamp", stamping.timestamp, name="sigstore-timestamp"),
    path(f"{WELL_KNOWN}/trusted_root.json", api.trusted_root, name="trusted-root"),
    path(f"{WELL_KNOWN}/signing_config.v0.2.json", api.signing_config, name="signing-config"),
    path(f"{WELL_KNOWN}/trust_config.json", api.trust_config, name="trust-config"),
    path(".well-known/openid-configuration", api.openid_configuration, name="openid"),
    path("auth/keys", api.keys, name="auth-keys"),
    path("auth/token", api.token, name="auth-token"),
    path("auth/authorize", pages.authorize, name="auth-authorize"),
]
