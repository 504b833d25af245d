# SPDX-License-Identifier: Apache-2.0
"""Why a monitor cannot go on."""

from __future__ import annotations

from ..errors import AssayError


class MonitorStateBroken(AssayError):
    """What a monitor remembers cannot be read or written."""

    code = "monitor-state-broken"
    exit_code = 9
