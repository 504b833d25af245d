# SPDX-License-Identifier: Apache-2.0
"""What the header of a safetensors file says, in few enough words to be kept and shown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self, TypedDict, cast

from .plain_text import storable

# Of the largest models nobody reads every row, and what is kept is kept for each file there is:
# the counts are of all tensors, the table is of the first ones.
MAX_LISTED = 500
MAX_NAME_CHARACTERS = 200


class Entry(TypedDict):
    """A tensor's part of a header, as safetensors.py has checked it."""

    dtype: str
    shape: list[int]
    data_offsets: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor; its values are not looked at."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensors:
    """The first tensors of a file in the order of their bytes, and counts of all of them."""

    listed: tuple[Tensor, ...]
    count: int
    parameters: tuple[tuple[str, int], ...]
    """By type: how many numbers there are."""

    @classmethod
    def of(cls, header: Mapping[str, Entry], in_order: Sequence[str]) -> Self:
        """Of a checked header, and the names of its tensors in the order of their bytes."""
        parameters: Counter[str] = Counter()
        for tensor in header.values():
            parameters[tensor["dtype"]] += math.prod(tensor["shape"])
        return cls(
            listed=tuple(_tensor(name, header[name]) for name in islice(in_order, MAX_LISTED)),
            count=len(header),
            parameters=tuple(sorted(parameters.items())),
        )

    def to_json(self) -> dict[str, object]:
        """As it is kept, and goes from one process to another."""
        listed = [[each.name, each.dtype, each.shape, each.size_bytes] for each in self.listed]
        return {"listed": listed, "count": self.count, "parameters": dict(self.parameters)}

    @classmethod
    def from_json(cls, obj: Mapping[str, object]) -> Self:
        """The way back; what it reads is our own."""
        rows = cast("list[tuple[str, str, list[int], int]]", obj["listed"])
        parameters = cast("dict[str, int]", obj["parameters"])
        return cls(
            listed=tuple(
                Tensor(name=name, dtype=dtype, shape=tuple(shape), size_bytes=size_bytes)
                for name, dtype, shape, size_bytes in rows
            ),
            count=cast("int", obj["count"]),
            parameters=tuple(sorted(parameters.items())),
        )


def _tensor(name: str, entry: Entry) -> Tensor:
    begin, end = entry["data_offsets"]
    return Tensor(
        name=storable(name[:MAX_NAME_CHARACTERS]),
        dtype=entry["dtype"],
        shape=tuple(entry["shape"]),
        size_bytes=end - begin,
    )
