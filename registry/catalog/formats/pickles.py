# SPDX-License-Identifier: Apache-2.0
"""Whether a file, unpickled, would import or call something: walked as it would be, never run.

An unpickler obeys each opcode as it reads it, so what comes after a mistake does not undo what came
before, and a parser that wants the whole to be well-formed is easily led astray. This walk knows
of a stack only how many items lie on it; where an unpickler would stop, so does it. Protocol 0 is
plain ASCII, and words can spell opcodes (`hello` does): without something imported nothing on the
stack can be called, so that prose stays prose.
"""

from __future__ import annotations

import pickletools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

# A file that is still a well-formed pickle after so many opcodes cannot be told from one.
MAX_OPCODES = 250_000
LINE_BYTES = 64 * 1024
LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
SIGNED = {pickletools.TAKEN_FROM_ARGUMENT4}
IMPORTS = {"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"}
CALLS = {"INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD"}
PUTS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
GETS = {"GET", "BINGET", "LONG_BINGET"}
NEWEST_PROTOCOL = 5
PROTOCOL_BYTES = 2  # an opcode and a number: what a pickle that says so begins with
_INTEGER = re.compile(rb"\s*[+-]?\d[\da-fA-FxXoObB_]*L?\s*")  # any base, as C reads it
_NAME = re.compile(rb"\S+")
_OPCODES = {ord(opcode.code.encode("latin-1")): opcode for opcode in pickletools.opcodes}


class _Stop(Exception):
    """The walk ends here; `is_whole` where the pickle ended or was cut off, not where it broke."""

    def __init__(self, *, is_whole: bool) -> None:
        super().__init__()
        self.is_whole = is_whole


def is_pickle(path: Path) -> bool:
    """Whether the file calls something, or is a pickle that imports or says that it is one."""
    with path.open("rb") as file:
        walk = _Walk(file=file, size_bytes=path.stat().st_size)
        try:
            for _ in range(MAX_OPCODES):
                walk.step()
                if walk.has_call:
                    return True
        except _Stop as stop:
            return stop.is_whole and (walk.is_announced or walk.has_import)
    return True


@dataclass(slots=True, kw_only=True)
class _Walk:
    file: BinaryIO
    size_bytes: int
    items: int = 0
    marks: list[int] = field(default_factory=list)
    memo: set[int] = field(default_factory=set)
    is_announced: bool = False
    has_import: bool = False
    has_call: bool = False

    def step(self) -> None:
        """Obey one opcode."""
        code = self.file.read(1)
        if not code:  # its end is missing: it counts if it said what it is
            raise _Stop(is_whole=self.is_announced)
        opcode = _OPCODES.get(code[0])
        if opcode is None:
            raise _Stop(is_whole=False)
        argument = self._argument(opcode)
        self._remember(opcode.name, argument)
        self._move(opcode)
        if opcode.name == "STOP":
            raise _Stop(is_whole=True)
        self.has_import |= opcode.name in IMPORTS
        self.has_call |= opcode.name in CALLS and self.has_import

    def _argument(self, opcode: pickletools.OpcodeInfo) -> bytes:
        if opcode.arg is None:
            return b""
        if opcode.arg.n == pickletools.UP_TO_NEWLINE:
            return self._lines(opcode.name)
        length = LENGTH_BYTES.get(opcode.arg.n)
        if length is None:
            return self._bytes(opcode.arg.n)
        is_signed = opcode.arg.n in SIGNED
        count = int.from_bytes(self._bytes(length), "little", signed=is_signed)
        if count < 0:
            raise _Stop(is_whole=False)
        if self.file.tell() + count > self.size_bytes:
            raise _Stop(is_whole=self.is_announced)
        self.file.seek(count, 1)
        return b""

    def _bytes(self, count: int) -> bytes:
        found = self.file.read(count)
        if len(found) < count:
            raise _Stop(is_whole=self.is_announced)
        return found

    def _lines(self, name: str) -> bytes:
        """What an unpickler would not take ends the walk."""
        line = self._line()
        match name:
            case "GLOBAL" | "INST":
                is_fit = bool(_NAME.fullmatch(line) and _NAME.fullmatch(self._line()))
            case "INT" | "LONG" | "GET" | "PUT":
                is_fit = bool(_INTEGER.fullmatch(line))
            case "FLOAT":
                is_fit = _is_float(line)
            case "STRING":
                is_fit = line[:1] in {b"'", b'"'} and line.rstrip()[-1:] == line[:1]
            case _:
                is_fit = True
        if not is_fit:
            raise _Stop(is_whole=False)
        return line

    def _line(self) -> bytes:
        """Its beginning and its end; a line may be longer than memory."""
        line = piece = self.file.readline(LINE_BYTES)
        while piece and not piece.endswith(b"\n"):
            piece = self.file.readline(LINE_BYTES)
            line = line[:LINE_BYTES] + piece
        if not piece:
            raise _Stop(is_whole=self.is_announced)
        return line[:-1]

    def _remember(self, name: str, argument: bytes) -> None:
        match name:
            case "PROTO":
                if argument[0] > NEWEST_PROTOCOL:
                    raise _Stop(is_whole=False)
                self.is_announced |= self.file.tell() == PROTOCOL_BYTES
            case "MEMOIZE":
                self.memo.add(len(self.memo))
            case _ if name in PUTS:
                self.memo.add(_key(name, argument))
            case _ if name in GETS and _key(name, argument) not in self.memo:
                raise _Stop(is_whole=False)
            case _:
                pass
        if name in PUTS and not self.items:
            raise _Stop(is_whole=False)

    def _move(self, opcode: pickletools.OpcodeInfo) -> None:
        """Take from the stack what the opcode takes, and put there what it puts."""
        before = opcode.stack_before
        if opcode.name == "POP" and not self.items and self.marks:
            self.items = self.marks.pop()
            return
        if pickletools.markobject in before:
            at = before.index(pickletools.markobject)
            self._take(sum(item is not pickletools.stackslice for item in before[at + 1 :]))
            if not self.marks:
                raise _Stop(is_whole=False)
            self.items = self.marks.pop()
            before = before[:at]
        self._take(len(before))
        if opcode.name == "MARK":
            self.marks.append(self.items)
            self.items = 0
        else:
            self.items += len(opcode.stack_after)

    def _take(self, count: int) -> None:
        if self.items < count:
            raise _Stop(is_whole=False)
        self.items -= count


def _key(name: str, argument: bytes) -> int:
    """The memo's key: in decimal, or in one byte, or in four."""
    if name in {"GET", "PUT"}:
        return int(argument.strip().rstrip(b"L"), 0) if argument.strip().isdigit() else -1
    return int.from_bytes(argument, "little")


def _is_float(line: bytes) -> bool:
    try:
        float(line)
    except ValueError:
        return False
    return True
