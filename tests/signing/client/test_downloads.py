# SPDX-License-Identifier: Apache-2.0
"""One refusal, or an interrupt, ends what the other threads of a download are fetching."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.signing.client import downloads
from assay.signing.client.downloads import Line, Parts
from assay.signing.client.errors import RegistryUnreachable
from assay.signing.client.registry import RegistryClient
from assay.signing.digests import as_id, sha256
from assay.signing.manifest import FileEntry, Manifest
from tests.signing.client.registry import Answer, loopback

DATA = b"abc"


def test_what_has_hung_up_fetches_nothing_more(tmp_path: Path) -> None:
    entry = FileEntry(name="a.txt", sha256=sha256(DATA), size=len(DATA))
    arrived: list[int] = []
    with (
        loopback() as registry,
        RegistryClient(registry.url) as client,
        Parts.of(tmp_path / "parts", Manifest(files=(entry,))) as parts,
    ):
        path = f"/api/v1/blobs/{as_id(entry.sha256)}"
        registry.on("GET", path, Answer(body=DATA, has_ranges=True))
        (segment,) = parts.missing()
        line = Line(client=client, parts=parts, arrived=arrived.append)
        line.hung_up.set()
        with pytest.raises(RegistryUnreachable, match="the download was ended"):
            downloads._write(line, segment)
        assert (arrived, list(parts.missing())) == ([len(DATA), -len(DATA)], [segment])
