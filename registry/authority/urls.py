# SPDX-License-Identifier: Apache-2.0
"""The addresses of the trust root and of revocation lists."""

from __future__ import annotations

from django.urls import path

from .api import revocation_list, revocation_lists, trust_root
from .responding import answer

urlpatterns = [
    path(".well-known/assay/trust-root.json", trust_root, name="trust-root"),
    path("authority/crl/<slug:issuer>.crl", revocation_list, name="revocation-list"),
    path("authority/crls.pem", revocation_lists, name="revocation-lists"),
    path("authority/ocsp/<slug:issuer>", answer, name="ocsp"),
    path("authority/ocsp/<slug:issuer>/<path:question>", answer, name="ocsp-question"),
]
