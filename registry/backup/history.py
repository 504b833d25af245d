# SPDX-License-Identifier: Apache-2.0
"""The signer's mark and audit file, in a backup and here: what was signed, and what is put back.

Of two that are there the one that knows more is kept: evidence of what was signed is never replaced
by less of it. That both audit files are one history, and both marks one ledger, was checked before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from assay.signing import canonical, durable
from assay.signing.canonical import Obj
from assay.signing.intermediates import Name
from assay.signing.signer.audit import EMPTY, AuditMark
from assay.signing.signer.highwater import Head, HighWater
from assay.signing.signer.opening import INTERMEDIATES_FOLDER, STOPPED_FOLDER
from assay.signing.signer.rotation import STOPPED

from .layout import AUDIT, HEAD, TRUST_ROOT

SIGN_HEAD, STOP = "sign_head", "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A tree head that was signed once, and who says so."""

    head: Head
    whose: str


def signed(folder: Path, *, mark: str, audit: str) -> tuple[Signed, ...]:
    """The largest tree heads that the mark and the audit file of a folder know of, if any.

    `mark` and `audit` are what messages call the two. Raises SignerFilesBroken or InvalidDocument.
    """
    found: list[Signed] = []
    if (folder / HEAD).exists():
        found.append(Signed(head=HighWater.load(folder / HEAD).head, whose=mark))
    heads = [_head(line) for line in _lines(folder / AUDIT, SIGN_HEAD)]
    if heads:
        largest = max(heads, key=lambda head: head.size)
        found.append(Signed(head=largest, whose=f"the newest tree head in {audit}"))
    return tuple(found)


def whole_lines(path: Path) -> bytes:
    """An audit file without what a crash left of its last line; nothing if it is not there."""
    data = path.read_bytes() if path.exists() else b""
    return data[: data.rfind(b"\n") + 1]


def put_back(saved: Path, here: Path, *, newest: Head) -> int:
    """Of each file the newer to the signer's folder; how many audit lines its mark has lost.

    The mark is `newest`: the largest tree head that anybody named, which the ledger continues.
    It names a line of the audit file that is there: those after it are lost with the disk they were
    on, and a mark that names one of them would keep the signer from ever starting.
    What the audit file says was stopped is stopped, also where the keys were wrapped before.
    """
    if not here.is_dir():
        durable.make_folder(here)
    if not (here / TRUST_ROOT).exists():
        durable.write_file(here / TRUST_ROOT, (saved / TRUST_ROOT).read_bytes())
    known = [HighWater.load(each / HEAD) for each in (here, saved) if (each / HEAD).exists()]
    mark = max(known, key=lambda each: each.head.size)
    end = _put_audit(saved, here)
    _stop_again(here)
    anchor = mark.audit if mark.audit.lines <= end.lines else end
    HighWater(here / HEAD, head=mark.head, audit=anchor).advance(newest, audit=anchor)
    return mark.audit.lines - anchor.lines


def _put_audit(saved: Path, here: Path) -> AuditMark:
    """The longer of the two is there when this returns; its end."""
    ours, theirs = whole_lines(here / AUDIT), whole_lines(saved / AUDIT)
    if len(ours) < len(theirs) or not (here / AUDIT).exists():
        durable.write_file(here / AUDIT, theirs)
    lines = max(ours, theirs, key=len).splitlines()
    if not lines:
        return EMPTY
    return AuditMark(lines=len(lines), sha256=sha256(lines[-1]).hexdigest())


def _stop_again(here: Path) -> None:
    marks = here / INTERMEDIATES_FOLDER / STOPPED_FOLDER
    for line in _lines(here / AUDIT, STOP):
        mark = marks / str(Name.parse(canonical.text(line, "issuer")))
        for folder in (marks.parent, marks):
            if not folder.is_dir():
                durable.make_folder(folder)
        if not mark.exists():
            durable.write_file(mark, STOPPED)


def _head(line: Obj) -> Head:
    return Head(
        size=canonical.integer(line, "size"),
        root=bytes.fromhex(canonical.sha256_hex(line, "root")),
    )


def _lines(audit: Path, op: str) -> Iterator[Obj]:
    """The lines about an operation; most are about signatures, and are not read further."""
    for line in whole_lines(audit).splitlines():
        if op.encode() in line:
            document = canonical.as_mapping(canonical.loads(line), "line")
            if document.get("op") == op:
                yield document
