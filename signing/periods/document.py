# SPDX-License-Identifier: Apache-2.0
"""The lines of an export: its head, and what puts them together and claims them at the end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from .. import canonical
from ..bundle import Bundle
from ..canonical import Obj, items, text
from ..errors import InvalidDocument
from ..statements import PeriodClaim

HEAD_V1 = "https://assay/period/v1"
MAX_LINE_BYTES = 1 << 20  # a bundle is some 8 kB
MAX_SUBJECTS = 1000  # of one name: in clear, by a pseudonym, and its machines


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how long such exports are to be kept, and which rule says so."""

    days: int
    source: str

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it."""
        canonical.only(obj, "days", "source")
        return cls(days=canonical.integer(obj, "days"), source=text(obj, "source"))

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return {"days": self.days, "source": self.source}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Whose export it is, and of when."""

    registry: str
    name: str
    subjects: tuple[str, ...]
    """The URIs that certificates of this name have."""
    since: datetime
    until: datetime
    first: int
    end: int
    retention: Retention

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the first line."""
        with canonical.within("head"):
            obj = canonical.as_mapping(value, "line")
            fields = ("registry", "name", "subjects", "since", "until", "first", "end")
            canonical.only(obj, "type", *fields, "retention")
            canonical.literal(obj, "type", HEAD_V1)
            subjects = items(obj, "subjects", maximum=MAX_SUBJECTS)
            found = cls(
                registry=text(obj, "registry"),
                name=text(obj, "name"),
                subjects=tuple(text({"subjects": each}, "subjects") for each in subjects),
                since=canonical.instant(obj, "since"),
                until=canonical.instant(obj, "until"),
                first=canonical.integer(obj, "first"),
                end=canonical.integer(obj, "end"),
                retention=Retention.parse(canonical.mapping(obj, "retention")),
            )
            try:
                _ = found.kept_until
            except OverflowError as error:
                days = f"{found.retention.days} more"
                raise InvalidDocument("retention.days", "an end before year 10000", days) from error
            return found

    @property
    def kept_until(self) -> datetime:
        """Until when the rule wants the export kept."""
        return self.until + timedelta(days=self.retention.days)

    def to_json(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "type": HEAD_V1,
            "registry": self.registry,
            "name": self.name,
            "subjects": list(self.subjects),
            "since": canonical.instant_text(self.since),
            "until": canonical.instant_text(self.until),
            "first": self.first,
            "end": self.end,
            "retention": self.retention.to_json(),
        }


class Sink:
    """Where an export is put together: canonical lines, and what the end claims of them."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._digest = hashlib.sha256()
        self._lines = 0

    def line(self, value: object) -> bytes:
        """The bytes of one line."""
        data = canonical.dumps(value) + b"\n"
        self._digest.update(data)
        self._lines += 1
        return data

    def claim(self, made_at: datetime) -> PeriodClaim:
        """What is claimed of all lines so far."""
        return PeriodClaim(
            lines_sha256=self._digest.hexdigest(),
            lines=self._lines,
            first=self._head.first,
            end=self._head.end,
            made_at=made_at,
        )


def end_line(bundle: Bundle) -> bytes:
    """The last line."""
    return canonical.dumps({"line": "end", "bundle": bundle.to_json()}) + b"\n"


def parsed(line: bytes) -> object:
    """One line's value, which is in canonical form; raises InvalidDocument."""
    with canonical.within("line"):
        if len(line) > MAX_LINE_BYTES or not line.endswith(b"\n"):
            raise InvalidDocument("length", f"at most {MAX_LINE_BYTES} bytes and LF", "another")
        return canonical.loads_canonical(line[:-1])
