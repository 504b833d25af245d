# SPDX-License-Identifier: Apache-2.0
"""Where the command keeps what is the user's: $ASSAY_CONFIG, or else ~/.config/assay."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from .errors import InputUnreadable


def folder(environment: Mapping[str, str] | None = None) -> Path:
    """The user's own; it need not exist yet."""
    variables = os.environ if environment is None else environment
    configured = variables.get("ASSAY_CONFIG")
    return Path(configured) if configured else _home() / ".config" / "assay"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise InputUnreadable("no home folder is known: set ASSAY_CONFIG to a folder") from error
