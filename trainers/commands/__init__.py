# SPDX-License-Identifier: Apache-2.0
"""The `assay-train` command: train, join a pool, generate, export, look at the machine."""

import sys
from collections.abc import Sequence

NEEDED = {"torch", "numpy", "safetensors", "PIL"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; where the wheel was installed without `[train]`, say so."""
    try:
        from .words import main as run  # noqa: PLC0415 - what it needs may be missing
    except ModuleNotFoundError as missing:
        if missing.name not in NEEDED:
            raise
        print(f"assay-train needs {missing.name}: pip install 'assay[train]'", file=sys.stderr)
        return 1
    return run(argv)
