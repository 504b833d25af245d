# SPDX-License-Identifier: Apache-2.0
"""What a file's name promises: its ending, which may be the whole name."""

from __future__ import annotations


def ending(name: str) -> str:
    """`.safetensors` of `a/model.SafeTensors`, and of `.safetensors`; empty without a dot."""
    _, dot, last = name.rpartition("/")[2].rpartition(".")
    return f"{dot}{last}".lower() if dot else ""
