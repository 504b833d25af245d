# SPDX-License-Identifier: Apache-2.0
"""The YAML that model cards begin with: licence, language, task, base model, for programs.

Read by YAML 1.2's core schema: `no` is Norwegian and not false, a date is text. An alias, which
makes a small document a large one, is refused, and so is whatever JSON could not say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import cast

import yaml

from .refused import Refused

MAX_CHARACTERS = 64 * 1024  # the longest are lists of evaluation results, some 30,000
MAX_DEPTH = 16  # what the Hub documents (model-index) takes six
_CARD = re.compile(r"\A---[ \t]*\r?\n(?P<yaml>.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
# YAML 1.2.2, 10.3.2; numbers of more digits than anybody means are text.
_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE, _FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,4})?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_KINDS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}


class _Composer(yaml.BaseLoader):
    """Everything is text, a list or a mapping; nothing refers to anything."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise Refused("front matter without aliases", "one")
        if self.depth == MAX_DEPTH:
            raise Refused(f"front matter of at most {MAX_DEPTH} levels", "more")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def split(card: str) -> tuple[str, str]:
    """Front matter, empty where there is none, and the Markdown after it."""
    found = _CARD.match(card)
    return (found["yaml"], card[found.end() :]) if found else ("", card)


def read(card: str) -> dict[str, object]:
    """What a card says for programs, as JSON values; raises Refused."""
    text, _ = split(card)
    if len(text) > MAX_CHARACTERS:
        raise Refused(f"front matter of at most {MAX_CHARACTERS} characters", f"{len(text)}")
    try:
        node = yaml.compose(text, Loader=_Composer)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        found = f"{error.problem or error.context}{f', {_place(mark)}' if mark else ''}"
        raise Refused("front matter in YAML", found) from error
    except yaml.YAMLError as error:  # a character that YAML does not have
        raise Refused("front matter in YAML", str(error).splitlines()[0]) from error
    except (ValueError, OverflowError) as error:  # of an escape, which PyYAML does not look at
        raise Refused("front matter in YAML", "an escape of no character") from error
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise Refused("front matter of names and values", "something else")
    return cast("dict[str, object]", _value(node))


def _value(node: yaml.Node) -> object:
    if node.tag not in _KINDS:
        raise Refused("front matter of text, numbers and lists", f"the tag {node.tag[:60]!a}")
    match node:
        case yaml.MappingNode():
            return dict(_members(node))
        case yaml.SequenceNode():
            return [_value(item) for item in node.value]
        case yaml.ScalarNode(style=None):
            return _plain(node)
        case _:
            return node.value


def _members(node: yaml.MappingNode) -> Iterator[tuple[str, object]]:
    seen: set[str] = set()
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise Refused("front matter whose names are text", _place(key_node.start_mark))
        if key_node.value in seen:
            found = f"{key_node.value[:60]!a} twice, {_place(key_node.start_mark)}"
            raise Refused("each name of the front matter once", found)
        seen.add(key_node.value)
        yield key_node.value, _value(value_node)


def _plain(node: yaml.ScalarNode) -> object:
    """What an unquoted word stands for."""
    text: str = node.value
    if _NOT_FINITE.fullmatch(text):
        raise Refused("numbers that JSON has in the front matter", f"{text}")
    readings: Mapping[re.Pattern[str], object] = {_NULL: None, _TRUE: True, _FALSE: False}
    for pattern, value in readings.items():
        if pattern.fullmatch(text):
            return value
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _place(mark: yaml.Mark) -> str:
    """In the card, where the first line is `---`."""
    return f"line {mark.line + 2}, column {mark.column + 1}"
