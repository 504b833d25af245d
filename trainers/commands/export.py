# SPDX-License-Identifier: Apache-2.0
"""`assay-train export`: a checkpoint as a folder that transformers loads."""

from __future__ import annotations

import argparse
from pathlib import Path

from assay.signing.digests import as_id

from .. import export


def add(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The word and its options."""
    word = words.add_parser(
        "export",
        help="write a checkpoint for transformers",
        description=(
            "Write a checkpoint as a model of a standard architecture, which transformers loads "
            "without running code of ours. It computes what the checkpoint does."
        ),
    )
    word.add_argument("folder", type=Path, help="the checkpoint, as `assay download` leaves it")
    word.add_argument("--out", type=Path, required=True, help="the folder to make")
    word.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write it, and say its id."""
    written = export.export(arguments.folder, arguments.out)
    print(f"{arguments.out}  {as_id(written.id)}")
    return 0
