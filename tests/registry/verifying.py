# SPDX-License-Identifier: Apache-2.0
"""What a verifier of today demands, and the revocation lists that this registry shows."""

from __future__ import annotations

from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.verify import Basis, Requirements
from registry.authority import revocations
from tests.running import Authority


def demands() -> Requirements:
    """That nothing was revoked by now."""
    return Requirements(as_of=timezone.now())


def basis(authority: Authority) -> Basis:
    """For one bundle, which brings no lists."""
    lists = revocations.stapled(Purpose)
    return Basis(trust=authority.trust_root, requirements=demands(), lists=lists)
