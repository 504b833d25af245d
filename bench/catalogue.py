# SPDX-License-Identifier: Apache-2.0
"""Measures the catalogue: lists, searches and pages among a million projects.

`./run bench catalogue [--projects 1000000] [--files 10] [--requests 300]` starts a registry of its
own, publishes one checkpoint for real, and fills the database in SQL with so many projects like it,
each with so many files: names, titles and cards of made-up words, as frequent as words are, and
facets as uneven. Then its web server is asked over HTTP, by one client and by two at once: the
list and its next pages, words, two facets, words with two facets, and pages of projects. The goal:
each p99 within 150 ms, with as many queries as among one project.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ledger import registry

INSIDE = Path(__file__).parent / "inside"


def main() -> None:
    """In a process that has a registry to talk to."""
    words = argparse.ArgumentParser(prog="./run bench catalogue", description=__doc__)
    words.add_argument("--projects", type=int, default=1_000_000)
    words.add_argument("--files", type=int, default=10, help="of each project")
    words.add_argument("--requests", type=int, default=300, help="of each kind")
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as name, registry(Path(name)):
        numbers = (given.projects, given.files, given.requests)
        subprocess.run([sys.executable, str(INSIDE / "finding.py"), *map(str, numbers)], check=True)
        size = sum(path.stat().st_size for path in Path(name).rglob("*") if path.is_file())
        print(f"\n  on the disk, database and all: {size / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
