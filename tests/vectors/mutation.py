# SPDX-License-Identifier: Apache-2.0
"""What a mutation of the evidence is: one thing changed, and every step that fails for it."""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from assay.signing.canonical import instant_text

Path: TypeAlias = tuple[str | int, ...]

OUTPUT = ("bundles", "output", "verificationMaterial")
ENTRY = (*OUTPUT, "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")
DSSE = ("bundles", "output", "dsseEnvelope")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One thing changed, and the steps that fail for it."""

    name: str
    failed: tuple[str, ...]
    error: str = ""
    """The code of the first failure."""
    artifact: str = "output"
    set: Mapping[Path, object] = field(default_factory=dict[Path, object])
    remove: tuple[Path, ...] = ()
    text: str | None = None
    files: Mapping[str, bytes] | None = None
    trust_root: object = None
    as_of: datetime | None = None
    """The moment that lists are judged for, if it is not the evidence's own."""
    is_refused: bool = False
    """Not a document at all: reading it fails before any step."""

    def to_json(self) -> dict[str, object]:
        """As it stands in the file; what does not apply is left out."""
        files = {name: b64(data) for name, data in (self.files or {}).items()}
        stated: dict[str, object] = {
            "name": self.name,
            "artifact": self.artifact,
            "set": [{"path": list(path), "value": value} for path, value in self.set.items()],
            "remove": [list(path) for path in self.remove],
            "text": self.text,
            "files": files,
            "trust_root": self.trust_root,
            "as_of": None if self.as_of is None else instant_text(self.as_of),
            "failed": list(self.failed),
            "error": self.error,
            "refused": self.is_refused,
        }
        return {name: value for name, value in stated.items() if value}


def changed(document: dict[str, Any], case: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with what a case says changed: at `path` there is `value`, or without one nothing."""
    found = copy.deepcopy(document)
    if path := case.get("path"):
        *outer, last = path
        inner: Any = found
        for step in outer:
            inner = inner[step]
        if "value" in case:
            inner[last] = case["value"]
        else:
            del inner[last]
    return found


def b64(data: bytes) -> str:
    """Bytes as they stand in JSON."""
    return base64.b64encode(data).decode("ascii")
