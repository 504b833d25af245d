# SPDX-License-Identifier: Apache-2.0
"""The `assay-train` command: train, join a pool, generate for a registry, look at the machine."""

from .main import main

__all__ = ["main"]
