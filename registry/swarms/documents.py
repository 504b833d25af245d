# SPDX-License-Identifier: Apache-2.0
"""A file's pieces as a Metalink document (RFC 5854) and as a torrent of both versions (BEP 52)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from xml.etree import ElementTree as ET

from .cutting import Cut

METALINK, TORRENT = "application/metalink4+xml", "application/x-bittorrent"
NAMESPACE = "urn:ietf:params:xml:ns:metalink"
SHA256_BYTES, SHA1_BYTES = 32, 20
META_VERSION = 2

Bencoded: TypeAlias = "int | bytes | list[Bencoded] | dict[bytes, Bencoded]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A file and where it is."""

    name: str
    url: str
    pieces: Cut


def metalink(of: Shared) -> bytes:
    """The file, its digest and those of its pieces, and where it is."""
    top = ET.Element("metalink", xmlns=NAMESPACE)
    ET.SubElement(top, "generator").text = "assay"
    file = ET.SubElement(top, "file", name=of.name)
    ET.SubElement(file, "size").text = str(of.pieces.size_bytes)
    ET.SubElement(file, "hash", type="sha-256").text = of.pieces.sha256
    if of.pieces.sha256s:
        pieces = ET.SubElement(file, "pieces", length=str(of.pieces.piece_bytes), type="sha-256")
        for at in range(0, len(of.pieces.sha256s), SHA256_BYTES):
            digest = of.pieces.sha256s[at : at + SHA256_BYTES]
            ET.SubElement(pieces, "hash").text = digest.hex()
    ET.SubElement(file, "url", priority="1").text = of.url
    content: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return content


def torrent(of: Shared) -> bytes:
    """Both versions over the same pieces; its one seed is the registry itself (BEP 19)."""
    name, size_bytes = of.name.encode(), of.pieces.size_bytes
    leaf: Bencoded = {b"length": size_bytes, b"pieces root": of.pieces.root}
    info: Bencoded = {
        b"file tree": {name: {b"": leaf}},
        b"length": size_bytes,
        b"meta version": META_VERSION,
        b"name": name,
        b"piece length": of.pieces.piece_bytes,
        b"pieces": of.pieces.sha1s,
    }
    is_one = len(of.pieces.sha1s) <= SHA1_BYTES
    layers: Bencoded = {} if is_one else {of.pieces.root: of.pieces.layer}
    return bencode({b"info": info, b"piece layers": layers, b"url-list": [of.url.encode()]})


def bencode(value: Bencoded) -> bytes:
    """BEP 3: numbers, strings of bytes, lists, and dictionaries in the order of their keys."""
    match value:
        case int():
            return b"i%de" % value
        case bytes():
            return b"%d:%s" % (len(value), value)
        case list():
            return b"l%se" % b"".join(map(bencode, value))
        case dict():
            pairs = (bencode(key) + bencode(value[key]) for key in sorted(value))
            return b"d%se" % b"".join(pairs)
