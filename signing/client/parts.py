# SPDX-License-Identifier: Apache-2.0
"""A large file in numbered parts: one that was cut off goes on with the parts that have not come.

By git-lfs's batch API with the transfer `multipart` (docs/spec/hub.md, section 4), whose answer
says which parts wait for the rest. Its addresses are for this file alone, and good for hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from .. import canonical
from ..errors import InvalidDocument
from ..manifest import FileEntry
from ..values import dataclass
from .errors import ClientError
from .registry import RegistryClient

FROM_BYTES = 64 << 20  # smaller ones a registry takes whole
MULTIPART = "multipart"
FOUND_CHARACTERS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Where the parts of one file are sent, and which have come."""

    entry: FileEntry
    part_bytes: int
    whole: str
    """The path at which they are made one."""
    paths: tuple[str, ...]
    """Where each is sent, the first at 0."""
    etags: Mapping[int, str]
    """Of those that have come, by number, from 1 on."""

    @property
    def numbers(self) -> range:
        """Of all of them."""
        return range(1, len(self.paths) + 1)

    def span(self, number: int) -> tuple[int, int]:
        """From where to where a part goes."""
        start = (number - 1) * self.part_bytes
        return start, min(start + self.part_bytes, self.entry.size)

    def length(self, number: int) -> int:
        """How many bytes it has."""
        start, stop = self.span(number)
        return stop - start

    def ended(self, etags: Mapping[int, str]) -> Mapping[str, object]:
        """What makes them one: all of them, in order, each as it was taken."""
        listed = [{"partNumber": number, "etag": etags[number]} for number in self.numbers]
        return {"oid": self.entry.sha256, "parts": listed}

    @classmethod
    def parse(cls, value: object, entry: FileEntry) -> Self | None:
        """Read the one object of a batch's answer; None if its bytes are there.

        Raises ClientError for a refusal, InvalidDocument.
        """
        found = canonical.as_mapping(value, "object")
        if "error" in found:
            raise _refusal(canonical.mapping(found, "error"))
        if "actions" not in found:
            return None
        upload = canonical.mapping(canonical.mapping(found, "actions"), "upload")
        header = canonical.mapping(upload, "header")
        numbers = sorted(name for name in header if name.isdecimal())
        said = canonical.text(header, "chunk_size")
        part_bytes = int(said) if said.isdecimal() else 0
        if part_bytes < 1 or len(numbers) != -(-entry.size // part_bytes):
            found_parts = f"{len(numbers)} of {ascii(said)[:FOUND_CHARACTERS]} bytes"
            raise InvalidDocument("header", "an address for each part", found_parts)
        return cls(
            entry=entry,
            part_bytes=part_bytes,
            whole=urlsplit(canonical.text(upload, "href")).path,
            paths=tuple(urlsplit(canonical.text(header, name)).path for name in numbers),
            etags=dict(map(_came, canonical.items(found, "parts"))) if "parts" in found else {},
        )


def wanted(client: RegistryClient, project: str, entry: FileEntry) -> Parts | None:
    """Ask where a file's parts go; None if the registry has it from this caller.

    Raises ClientError, or InvalidDocument for an answer that cannot be read.
    """
    asked = {"oid": entry.sha256, "size": entry.size}
    body = {"operation": "upload", "transfers": [MULTIPART], "objects": [asked]}
    answer = client.post_json(f"/{project}.git/info/lfs/objects/batch", body)
    found, *_ = canonical.items(canonical.as_mapping(answer, "answer"), "objects") or [None]
    return Parts.parse(found, entry)


def _came(value: object) -> tuple[int, str]:
    part = canonical.as_mapping(value, "parts")
    return canonical.integer(part, "partNumber"), canonical.text(part, "etag")


def _refusal(error: Mapping[str, object]) -> ClientError:
    return ClientError(canonical.text(error, "message"), status=canonical.integer(error, "code"))
