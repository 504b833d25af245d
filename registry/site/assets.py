# SPDX-License-Identifier: Apache-2.0
"""The tags for the built script and styles, read from Vite's manifest; none where nothing is built.

A page without them is plain but whole: every page works without styles and scripts.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TypedDict

from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

SCRIPT = "islands/main.ts"
STYLES = "styles/main.css"
MANIFEST = "manifest.json"


class Chunk(TypedDict, total=False):
    """One entry of Vite's manifest, as far as it is read here."""

    file: str


def tags() -> SafeString:
    """A link and a script element, in that order."""
    path = finders.find(MANIFEST)
    if path is None:
        return SafeString("")
    chunks = _read(path, Path(path).stat().st_mtime_ns)
    styles = format_html('<link rel="stylesheet" href="{}">', static(chunks[STYLES]["file"]))
    script = format_html('<script type="module" src="{}"></script>', static(chunks[SCRIPT]["file"]))
    return styles + script


@functools.lru_cache(maxsize=2)
def _read(path: str, _modified_ns: int) -> dict[str, Chunk]:
    chunks: dict[str, Chunk] = json.loads(Path(path).read_text(encoding="utf-8"))
    return chunks
