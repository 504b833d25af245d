# SPDX-License-Identifier: Apache-2.0
"""A registry's folders, with the sockets in a folder of their own, removed afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.supervisor.places import Places


@pytest.fixture
def places() -> Iterator[Places]:
    """Short paths: a socket's is limited to 107 bytes, and pytest's own folders are long."""
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    made = Places.of(folder / "data")
    yield made
    made.tidy()
    shutil.rmtree(folder)
