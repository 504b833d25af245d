# SPDX-License-Identifier: Apache-2.0
"""An answer as server-sent events: read as it comes, until each of its choices has ended.

Events are handed on as they are. Nothing is signed here: `Stream.take` says which choices an event
ends, and with what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from .contents import MAX_ANSWER_BYTES, MAX_CHOICES, Content, Form, choices_of, content_of, parse
from .errors import UpstreamBroken

MAX_EVENT_BYTES = 1 << 20
DONE = b"[DONE]"
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE = re.compile(rb"\r\n|\n|\r")
# Of a delta that carries one of these again it is the same one, not more of it.
_REPLACED = frozenset({"id", "index", "type"})


def events(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The events of a stream, each with the empty line that ends it; what is cut is dropped."""
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        while (end := _END.search(buffer)) is not None:
            yield buffer[: end.end()]
            buffer = buffer[end.end() :]
        if len(buffer) > MAX_EVENT_BYTES:
            raise UpstreamBroken(f"expected events of at most {MAX_EVENT_BYTES} bytes, found more")


def data_of(event: bytes) -> bytes | None:
    """What an event carries; None for a comment, which says that the line is alive."""
    lines = [line for line in _LINE.split(event) if line.startswith(b"data:")]
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines) if lines else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An event as it was understood."""

    chunk: dict[str, object]
    ended: Mapping[int, Content]
    """By their place in the chunk: the choices that end with it, and what they came to."""


@dataclass(slots=True, kw_only=True)
class Stream:
    """What came of each choice so far."""

    form: Form
    size_bytes: int = 0
    open: dict[int, dict[str, object]] = field(default_factory=dict[int, dict[str, object]])
    """By their index."""
    closed: set[int] = field(default_factory=set[int])

    def take(self, data: bytes) -> Taken:
        """Read one event's data; raises UpstreamBroken for what no stream of choices may hold."""
        self.size_bytes += len(data)
        if self.size_bytes > MAX_ANSWER_BYTES:
            raise UpstreamBroken(f"expected at most {MAX_ANSWER_BYTES} bytes, found more")
        chunk = parse(data)
        if "error" in chunk:  # the upstream's own, which ends its stream
            return Taken(chunk=chunk, ended={})
        ended: dict[int, Content] = {}
        for place, choice in enumerate(choices_of(chunk)):
            index = _index(choice)
            self._add(index, choice)
            if choice.get("finish_reason") is not None:
                self.closed.add(index)
                ended[place] = content_of(self.open.pop(index), self.form)
        return Taken(chunk=chunk, ended=ended)

    def end(self) -> None:
        """Raises UpstreamBroken where the stream is over before all its choices are."""
        if self.open or not self.closed:
            raise UpstreamBroken(
                f"expected every choice to end, found {len(self.open)} that did not"
            )

    def _add(self, index: int, choice: Mapping[str, object]) -> None:
        if index in self.closed:
            raise UpstreamBroken(f"expected nothing of choice {index} after its end, found more")
        if self.form is Form.COMPLETION:
            whole = self.open.setdefault(index, {"text": ""})
            _merge(whole, {"text": choice.get("text")})
            return
        whole = self.open.setdefault(index, {"message": {}})
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            raise UpstreamBroken("expected a delta in each choice, found none")
        _merge(cast("dict[str, object]", whole["message"]), cast("Mapping[str, object]", delta))


def _index(choice: Mapping[str, object]) -> int:
    index = choice.get("index")
    if not isinstance(index, int) or not 0 <= index < MAX_CHOICES:
        raise UpstreamBroken(f"expected a choice's index below {MAX_CHOICES}, found another")
    return index


def _merge(whole: dict[str, object], delta: Mapping[str, object]) -> None:
    """Add what is new to what there is: texts grow, and objects and lists grow within."""
    for name, more in delta.items():
        before = whole.get(name)
        if more is None:
            continue
        if isinstance(before, str) and isinstance(more, str) and name not in _REPLACED:
            whole[name] = before + more
        elif isinstance(more, dict):
            inner = whole.setdefault(name, {})
            _merge(_object(inner), cast("Mapping[str, object]", more))
        elif isinstance(more, list):
            _merge_items(whole, name, cast("list[object]", more))
        else:
            whole[name] = more


def _merge_items(whole: dict[str, object], name: str, items: list[object]) -> None:
    """Items name their own place by `index`; those that name none come after the others."""
    found = whole.setdefault(name, [])
    if not isinstance(found, list):
        raise UpstreamBroken(f"expected {name[:40]!a} to stay a list, found another")
    kept = cast("list[object]", found)
    for item in items:
        stated = _stated(item)
        if "index" not in stated:
            kept.append(item)
            continue
        place = stated.pop("index")
        if not isinstance(place, int) or not 0 <= place <= len(kept):
            raise UpstreamBroken(f"expected the next place in {name[:40]!a}, found another")
        if place == len(kept):
            kept.append({})
        _merge(_object(kept[place]), stated)


def _stated(item: object) -> dict[str, object]:
    """What an item of a list says, if it is an object."""
    return dict(cast("Mapping[str, object]", item)) if isinstance(item, dict) else {}


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise UpstreamBroken("expected an object to stay one, found another")
    return cast("dict[str, object]", value)
