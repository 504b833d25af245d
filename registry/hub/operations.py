# SPDX-License-Identifier: Apache-2.0
"""The lines of a commit: what each says, held to the protocol and to limits."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from assay.signing.errors import InvalidDocument
from assay.signing.manifest import FileEntry, check_name
from registry.catalog.content.large import MAX_BYTES
from registry.catalog.services import Put, Remove
from registry.storage.errors import InvalidDigest
from registry.storage.folder import check_digest

from .bodies import parsed, text
from .errors import Unreadable

SHA256 = "sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is said of the commit as a whole."""

    title: str
    message: str
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A small file, whose bytes are in the line."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A large file that is here, as clients name one that they copy: without its size."""

    name: str
    sha256: str


Operation = Header | Content | Copied | Put | Remove


def operation(line: bytes) -> Operation:
    """What a line says; raises Unreadable."""
    body = parsed(line)
    key, value = body.get("key"), body.get("value")
    if not isinstance(value, dict):
        raise Unreadable("expected a line with a key and a value, found something else")
    match key:
        case "header":
            return _header(value)
        case "file":
            return _content(value)
        case "lfsFile":
            return _large(value)
        case "deletedFile":
            return Remove(name=text(value, "path"))
        case "deletedFolder":
            return Remove(name=text(value, "path"), is_folder=True)
        case _:
            raise Unreadable(
                "expected header, file, lfsFile, deletedFile or deletedFolder, "
                f"found {str(key)[:40]!a}"
            )


def _header(value: Mapping[str, object]) -> Header:
    title, message = text(value, "summary"), text(value, "description", default="")
    if not title.strip():
        raise Unreadable("summary: expected some text, found none")
    parent = value.get("parentCommit")
    return Header(
        title=title, message=message, parent=None if parent is None else text(value, "parentCommit")
    )


def _content(value: Mapping[str, object]) -> Content:
    name, encoded = _name(value), text(value, "content")
    match text(value, "encoding", default="utf-8"):
        case "base64":
            try:
                content = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError) as error:
                raise Unreadable(f"{name}: expected base64, found something else") from error
        case "utf-8":
            content = encoded.encode()
        case other:
            raise Unreadable(f"{name}: expected base64 or utf-8, found {other[:40]!a}")
    if len(content) > MAX_BYTES:
        raise Unreadable(
            f"{name}: expected at most {MAX_BYTES} bytes in a commit, found {len(content)}; "
            "send larger files by LFS"
        )
    return Content(name=name, content=content)


def _large(value: Mapping[str, object]) -> Put | Copied:
    name, size, algorithm = _name(value), value.get("size"), text(value, "algo", default=SHA256)
    if algorithm != SHA256:
        raise Unreadable(f"{name}: expected {SHA256}, found {algorithm[:40]!a}")
    try:
        sha256 = check_digest(text(value, "oid"))
    except InvalidDigest as error:
        raise Unreadable(f"{name}: {error.detail}") from error
    if size is None:
        return Copied(name=name, sha256=sha256)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise Unreadable(f"{name}: expected a size in bytes, found something else")
    return Put(file=FileEntry(name=name, sha256=sha256, size=size))


def _name(value: Mapping[str, object]) -> str:
    name = text(value, "path")
    try:
        check_name(name)
    except InvalidDocument as error:
        raise Unreadable(str(error)) from error
    return name
