# SPDX-License-Identifier: Apache-2.0
"""Whether a file, unpickled, would use what it imports: walked as it would be, never run.

An unpickler obeys each opcode as it reads it, so what comes after a mistake does not undo what came
before. The walk goes on unless every unpickler (of CPython 2 and 3, in C and in Python) would have
stopped: it fails closed. So it knows no values, no keys and no places of marks, only how many items
may lie on the stack at most, and how far to the next opcode.

A frame (protocol 4) that lies in the file is the end of all certainty: where a read goes beyond it,
the unpickler in C forgets what was left of it and goes on behind. So that is a pickle, whatever
follows. No word and no number is a frame: its eight bytes of length would have to be fewer than
the file's.

Protocol 0 is plain ASCII, and words can spell opcodes (`hello` does): where nothing was imported
nothing has an effect, so that prose stays prose. An import alone is not held against a text: no
list of words could begin with one in `c`.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# A file that is still a well-formed pickle after so many opcodes cannot be told from one.
MAX_OPCODES = 250_000
LINE_BYTES = 64 * 1024
SPACE_BYTES = 64  # of white space that may follow the end of a pickle
# What ends within so many opcodes is a word or a number: "N.", "I1\n.".
LEAST_OPCODES = 3
LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
IMPORTS = {"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"}
CALLS = {"INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD"}
# Of what is no list, dict or set they call a method: `sys.path.append`, `os.environ[...] =`.
CHANGES = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"}
PUTS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
GETS = {"GET", "BINGET", "LONG_BINGET"}
FRAME_BYTES = 8  # of its length
PROTOCOL_BYTES = 2  # an opcode and a number: what a pickle that says so begins with
_NUMBER = re.compile(rb"[\x00-\x20]*[+-]?\d")  # how each begins, in any base
_INTEGER = re.compile(rb"\x00|" + _NUMBER.pattern)  # in C a line of a NUL is 0
# What no module and no attribute is called holds white space; of CRLF, Python 2 takes both away.
_NAME = re.compile(rb"[^\x00-\x20]+\r?")
_FIRST_LINE: Mapping[str, re.Pattern[bytes]] = {
    "GLOBAL": _NAME,
    "INST": _NAME,
    "INT": _INTEGER,
    "LONG": _NUMBER,
    "FLOAT": re.compile(rb"[\x00-\x20]*[+-]?(\d|\.\d|inf|nan)", re.IGNORECASE),
    "STRING": re.compile(rb"['\"]"),
}


class _BrokenError(Exception):
    """Every unpickler ends here with an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opcode:
    """What one needs of the stack and leaves there; a mark counts as an item."""

    name: str
    argument_bytes: int | None
    needs: int
    needs_mark: bool
    grows: int

    @classmethod
    def of(cls, info: pickletools.OpcodeInfo) -> _Opcode:
        marks = (pickletools.markobject, pickletools.stackslice)
        needs = sum(item not in marks for item in info.stack_before)
        return cls(
            name=info.name,
            argument_bytes=info.arg.n if info.arg else None,
            needs=1 if info.name in PUTS else needs,
            needs_mark=pickletools.markobject in info.stack_before,
            grows=len(info.stack_after) - needs,
        )


_OPCODES = {ord(info.code.encode("latin-1")): _Opcode.of(info) for info in pickletools.opcodes}


def is_pickle(path: Path) -> bool:
    """Whether the file uses what it imports, or is a pickle to its end or says that it is one."""
    with path.open("rb") as file:
        walk = _Walk(file=file, size_bytes=path.stat().st_size)
        try:
            for _ in range(MAX_OPCODES):
                code = file.read(1)
                if not code:  # its end is missing: it counts if it said what it is
                    return walk.is_announced
                walk.step(code[0])
                if walk.is_found:
                    return True
        except _BrokenError:
            return False
    return True


@dataclass(slots=True, kw_only=True)
class _Walk:
    file: BinaryIO
    size_bytes: int
    opcodes: int = 0
    most_items: int = 0
    has_mark: bool = False
    has_memo: bool = False
    is_announced: bool = False
    has_import: bool = False
    is_found: bool = False

    def step(self, code: int) -> None:
        """Obey one opcode."""
        opcode = _OPCODES.get(code)
        if opcode is None:
            raise _BrokenError
        self.opcodes += 1
        self._skip_argument(opcode)
        self._move(opcode)
        name = opcode.name
        self.is_announced |= name == "PROTO" and self.file.tell() == PROTOCOL_BYTES
        self.has_import |= name in IMPORTS
        if name == "FRAME":
            self.is_found = self._is_in_the_file()
        elif name in CALLS or name in CHANGES:
            self.is_found = self.has_import
        elif name == "STOP":  # another may follow, as in old files of torch
            self.is_found = self.is_announced or self.has_import or self._is_whole()

    def _move(self, opcode: _Opcode) -> None:
        """Marks stay where they are and items below them can be had: there is never too little."""
        is_short = self.most_items < opcode.needs
        is_unmarked = opcode.needs_mark and not self.has_mark
        if is_short or is_unmarked or (opcode.name in GETS and not self.has_memo):
            raise _BrokenError
        self.most_items += opcode.grows
        self.has_mark |= opcode.name == "MARK"
        self.has_memo |= opcode.name in PUTS

    def _is_in_the_file(self) -> bool:
        """The frame whose length was skipped just now; of a longer one no byte is obeyed in C."""
        begins_at = self.file.tell()
        self.file.seek(begins_at - FRAME_BYTES)
        length = int.from_bytes(self.file.read(FRAME_BYTES), "little")
        return begins_at + length <= self.size_bytes

    def _is_whole(self) -> bool:
        if self.opcodes < LEAST_OPCODES:
            return False
        at = self.file.tell()
        rest = self.file.read(SPACE_BYTES + 1)
        self.file.seek(at)
        return len(rest) <= SPACE_BYTES and not rest.strip()

    def _skip_argument(self, opcode: _Opcode) -> None:
        """What is cut off is followed by nothing: the next opcode is not there."""
        count = opcode.argument_bytes
        if count is None:
            return
        if count == pickletools.UP_TO_NEWLINE:
            self._skip_lines(opcode.name)
        elif (length := LENGTH_BYTES.get(count)) is None:
            self.file.seek(count, 1)
        else:
            is_signed = count == pickletools.TAKEN_FROM_ARGUMENT4
            size = int.from_bytes(self.file.read(length), "little", signed=is_signed)
            if size < 0:
                raise _BrokenError
            self.file.seek(min(size, self.size_bytes), 1)

    def _skip_lines(self, name: str) -> None:
        """What no unpickler takes ends the walk."""
        fit = _FIRST_LINE.get(name)
        for _ in range(2 if fit is _NAME else 1):
            line = self._line()
            # Names to their ends; of the others the beginning tells.
            if fit and not (fit.fullmatch(line) if fit is _NAME else fit.match(line)):
                raise _BrokenError

    def _line(self) -> bytes:
        """Its beginning; a line may be longer than memory, and the last one has no end."""
        line = piece = self.file.readline(LINE_BYTES)
        while piece and not piece.endswith(b"\n"):
            piece = self.file.readline(LINE_BYTES)
        return line.removesuffix(b"\n")
