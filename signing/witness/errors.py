# SPDX-License-Identifier: Apache-2.0
"""Why a witness does not start."""

from __future__ import annotations

from ..errors import AssayError


class WitnessStateBroken(AssayError):
    """What a witness remembers cannot be read or written, or another one is using it."""

    code = "witness-state-broken"
    exit_code = 7
