# SPDX-License-Identifier: Apache-2.0
"""One refusal, or an interrupt, ends what the other threads of an upload are sending."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.signing.client.errors import RegistryUnreachable
from assay.signing.client.registry import RegistryClient
from assay.signing.client.uploads import Content, Line
from assay.signing.manifest import FileEntry

DATA = b"abc"


def test_what_has_hung_up_sends_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(DATA)
    entry = FileEntry(name="a.txt", sha256=hashlib.sha256(DATA).hexdigest(), size=len(DATA))
    sent: list[int] = []
    with RegistryClient("http://localhost:1") as client:
        line = Line(client=client, project="a/b", folder=tmp_path, sent=sent.append)
        content = Content(line=line, entry=entry, start=0, stop=3)
        assert b"".join(content) == DATA
        line.hung_up.set()
        with pytest.raises(RegistryUnreachable, match="the upload was ended"):
            next(iter(Content(line=line, entry=entry, start=0, stop=3)))
    assert sent == [len(DATA)]
