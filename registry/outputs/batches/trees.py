# SPDX-License-Identifier: Apache-2.0
"""A batch's statements, ids and proofs, written as text: 100,000 of them within seconds.

Each is what `assay.signing` makes one at a time, in forms that are filled in; tests hold the two
to each other.
"""

from __future__ import annotations

import hashlib
import json
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assay.signing import canonical, merkle
from assay.signing.bundle import LedgerProof
from assay.signing.merkle import Tree
from assay.signing.statements import BatchClaim, Placed
from assay.signing.tlog import PROOF_V1

from .lines import Content

ID_BYTES = 16
INDEX_BYTES = 8
BLOCK_LEVELS = 6  # the paths of 64 leaves are written together, as most of each is the same
# In the order in which they stand in a canonical statement.
HOLES = ('"@media@"', "@output@", "@sha256@", "@normalised@")
_PLACED = '{"hashes":[%s],"index":%d,"media_type":%s,"normalised":%s,"output":"%s","sha256":"%s"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A batch's outputs, the id of each, and the tree over their statements."""

    contents: Sequence[Content]
    ids: Sequence[str]
    tree: Tree

    @classmethod
    def of(cls, claim: BatchClaim, contents: Sequence[Content], salt: bytes) -> Grown:
        """Of the claim everything counts but its root."""
        with_normalised, without = _forms(claim)
        media = _Media()
        ids = [output_id(salt, index) for index in range(len(contents))]
        leaves = [
            merkle.leaf_hash(
                (
                    without % (media[kind], output, sha256)
                    if normalised is None
                    else with_normalised % (media[kind], output, sha256, normalised)
                ).encode()
            )
            for (sha256, normalised, kind), output in zip(contents, ids, strict=True)
        ]
        return cls(contents=contents, ids=ids, tree=Tree.of(leaves))

    def proofs(self, entry: LedgerProof) -> Iterator[str]:
        """A line for each output, in their order: its digest and its `.tlog-proof`."""
        form, media = _line_form(entry), _Media()
        paths = _paths([[f'"{_base64(each)}"' for each in level] for level in self.tree.levels])
        for index, path in enumerate(paths):
            yield self._line(form, index, path, media)

    def proof(self, entry: LedgerProof, index: int) -> str:
        """The line of one."""
        hashes = (f'"{_base64(each)}"' for each in self.tree.proof(index))
        return self._line(_line_form(entry), index, ",".join(hashes), _Media())

    def _line(self, form: str, index: int, path: str, media: _Media) -> str:
        sha256, normalised, kind = self.contents[index]
        quoted = "null" if normalised is None else f'"{normalised}"'
        placed = _PLACED % (path, index, media[kind], quoted, self.ids[index], sha256)
        return form % (sha256, _base64(placed.encode()))


def output_id(salt: bytes, index: int) -> str:
    """The id of the output at a place, in a UUID's form: nobody guesses it without the salt."""
    digest = hashlib.sha256(salt + index.to_bytes(INDEX_BYTES, "big")).digest()
    text = digest[:ID_BYTES].hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _forms(claim: BatchClaim) -> tuple[str, str]:
    """The canonical statement of an output of this batch, to be filled in: with and without."""
    media, output, sha256, normalised = (hole.strip('"') for hole in HOLES)
    placed = Placed(
        index=0,
        output=output,
        exact_sha256=sha256,
        normalised_sha256=normalised,
        media_type=media,
        hashes=(),
    )
    return _form(claim, placed), _form(claim, replace(placed, normalised_sha256=None))


def _form(claim: BatchClaim, placed: Placed) -> str:
    text = claim.output(placed).statement().canonical().decode().replace("%", "%%")
    for hole in HOLES:
        text = text.replace(hole, "%s")
    return text


def _line_form(entry: LedgerProof) -> str:
    """A line of JSON, in which the digest and the proof's `extra` are to be filled in."""
    rest = (f"index {entry.index}", *map(canonical.base64_text, entry.hashes))
    proof = f"{PROOF_V1}\nextra @extra@\n" + "\n".join(rest) + f"\n\n{entry.note}"
    line = json.dumps({"sha256": "@sha256@", "proof": proof}, separators=(",", ":"))
    return line.replace("%", "%%").replace("@sha256@", "%s").replace("@extra@", "%s") + "\n"


def _paths(hashes: Sequence[Sequence[str]]) -> Iterator[str]:
    """For each leaf what leads to the root, joined; from the top down, as neighbours share it."""
    top = min(BLOCK_LEVELS, len(hashes) - 1)
    for block in range(len(hashes[top])):
        paths = [(block, _above(hashes, top, block))]
        for level in range(top - 1, -1, -1):
            siblings = hashes[level]
            paths = [
                (child, _joined(siblings, child ^ 1, path))
                for parent, path in paths
                for child in (2 * parent, 2 * parent + 1)
                if child < len(siblings)
            ]
        yield from (path for _, path in paths)


def _above(hashes: Sequence[Sequence[str]], level: int, position: int) -> str:
    """What leads to the root from a node."""
    path = ""
    for number in range(len(hashes) - 2, level - 1, -1):
        path = _joined(hashes[number], (position >> (number - level)) ^ 1, path)
    return path


def _joined(siblings: Sequence[str], sibling: int, path: str) -> str:
    """One hash more before the others; a node that is alone at its level's end has no sibling."""
    if sibling >= len(siblings):
        return path
    return f"{siblings[sibling]},{path}" if path else siblings[sibling]


class _Media(dict[str, str]):
    """Media types as JSON, each written once."""

    def __missing__(self, media_type: str) -> str:
        self[media_type] = written = canonical.dumps(media_type).decode()
        return written


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()
