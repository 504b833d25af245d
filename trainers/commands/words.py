# SPDX-License-Identifier: Apache-2.0
"""Reads the command line of `assay-train` and turns what can go wrong into a line and a code."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from assay.signing.commands import version
from assay.signing.errors import AssayError

from ..errors import TrainerError
from . import doctor, export, generate, join, letters, regenerate, train

EXIT_CODES = "exit codes: 0 done or asked to stop, 1 failed (the reason is printed), 2 wrong usage"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit code."""
    arguments = parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request
    try:
        code: int = arguments.run(arguments)
    except (TrainerError, AssayError, OSError) as error:
        print(f"assay-train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return code


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="assay-train",
        description="Train byte-level models, alone or for a registry's pool.",
        epilog=EXIT_CODES,
    )
    top.add_argument("--version", action="version", version=f"assay-train {version()}")
    words = top.add_subparsers(title="words", metavar="WORD", required=True)
    for word in (train, letters, join, generate, regenerate, export, doctor):
        word.add(words)
    return top
