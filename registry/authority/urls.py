# SPDX-License-Identifier: Apache-2.0
"""The address of the trust root."""

from __future__ import annotations

from django.urls import path

from .api import trust_root

urlpatterns = [path(".well-known/assay/trust-root.json", trust_root, name="trust-root")]
