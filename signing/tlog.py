# SPDX-License-Identifier: Apache-2.0
"""Which ledgers and witnesses are believed (C2SP tlog-policy), and proofs to them (tlog-proof).

A policy is a user's own file, a `.tlog-proof` a stranger's: together they say offline that an entry
is in a ledger that enough witnesses have seen. What the entry means is left to others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from typing import Self

from . import cosignatures, merkle, treehead
from .canonical import MAX_INTEGER, base64_decode, base64_text
from .cosignatures import LATEST, UNSAID, Witness
from .errors import BadTreeHead, InvalidDocument, NotWitnessed
from .merkle import HASH_BYTES
from .treehead import TreeHead, Verifier
from .values import dataclass

MAX_POLICY_BYTES = 256 << 10
MAX_PROOF_CHARACTERS = 128 << 10
MAX_HASHES = 63
MAX_DEPTH = 32  # of groups in groups: each is a call inside a call
NONE = "none"
PROOF_V1 = "c2sp.org/tlog-proof@v1"

_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Witnesses, or groups of them, of which so many have to agree."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A tree head that a policy accepts, and the evidence: who saw it, in seconds since 1970."""

    head: TreeHead
    ledger: Verifier
    seen_at: Mapping[str, int]
    since: int | None
    """From when on enough of them had seen it (`Policy.since`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Ledgers, witnesses by their names in the file, groups, and the quorum.

    Addresses stand beside what they belong to, empty where the file gives none.
    """

    ledgers: tuple[tuple[Verifier, str], ...]
    witnesses: Mapping[str, tuple[Witness, str]]
    groups: Mapping[str, Group]
    quorum: str

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a policy file; raises InvalidDocument with the number of the line."""
        if len(data) > MAX_POLICY_BYTES:
            raise InvalidDocument("policy", f"at most {MAX_POLICY_BYTES} bytes", f"{len(data)}")
        if not data.endswith(b"\n") or _FORBIDDEN.search(data):
            raise InvalidDocument("policy", "lines without control characters", "something else")
        lines = _Lines()
        # Names are bytes to this format, and nothing more: Latin-1 keeps each what it is.
        for number, line in enumerate(data.decode("latin-1").split("\n"), start=1):
            words = line.replace("\t", " ").split(" ")
            lines.read(f"line {number}", [word for word in words if word])
        _demand("policy", "one quorum", is_met=bool(lines.quorum))
        return cls(
            ledgers=tuple(lines.ledgers),
            witnesses=lines.witnesses,
            groups=lines.groups,
            quorum=lines.quorum,
        )

    def check(self, note: str) -> Witnessed:
        """The evidence that this tree head is one of these ledgers', and that the quorum saw it.

        1. One of the ledgers, of the note's origin, signed it.
        2. No cosignature in the name of a known witness is forged.
        3. The witnesses that cosigned make up the quorum.
        """
        ledger = self._ledger_of(note)  # 1
        head = treehead.verify(note, ledger.text())
        found = {
            name: cosignatures.verify(note, witness)  # 2
            for name, (witness, _) in self.witnesses.items()
        }
        seen_at = {name: at for name, at in found.items() if at is not None}
        since = self.since(seen_at)
        if since is None and self.quorum != NONE:  # 3
            seen = ", ".join(sorted(seen_at)) or "nobody"
            raise NotWitnessed(f"expected the witnesses of the quorum {self.quorum}, found {seen}")
        return Witnessed(head=head, ledger=ledger, seen_at=seen_at, since=since)

    def since(self, seen_at: Mapping[str, int]) -> int | None:
        """From when on the quorum had seen what these witnesses saw; None if it has not.

        Of a group it is the time of the member that completes its threshold, in the order of their
        times. So no fewer witnesses than it takes to deceive about a head can deceive about its
        time: those before the last one may all lie. Further lines never make it later.
        """
        return self._since(self.quorum, seen_at)

    def is_met_by(self, keys: Collection[str]) -> bool:
        """Whether the witnesses with these verifier keys are enough; never, if none are asked."""
        known = {name: 1 for name, (each, _) in self.witnesses.items() if each.text() in keys}
        return self.since(known) is not None

    def _ledger_of(self, note: str) -> Verifier:
        head, lines = treehead.split(note)
        signers = {(name, line[: treehead.KEY_HINT_BYTES]) for name, line in lines}
        for ledger, _ in self.ledgers:
            if ledger.origin == head.origin and (ledger.origin, ledger.hint) in signers:
                return ledger
        raise BadTreeHead(f"expected a tree head of a ledger in the policy, found {head.origin!a}")

    def _since(self, name: str, seen_at: Mapping[str, int]) -> int | None:
        if name not in self.groups:
            at = seen_at.get(name)
            return LATEST if at == UNSAID else at
        group = self.groups[name]
        each = (self._since(member, seen_at) for member in group.members)
        times = sorted(at for at in each if at is not None)
        return times[group.threshold - 1] if len(times) >= group.threshold else None


@dataclass(slots=True)
class _Lines:
    """What the lines of a policy have said so far; each may only name what stands above it."""

    ledgers: list[tuple[Verifier, str]] = field(default_factory=list[tuple[Verifier, str]])
    witnesses: dict[str, tuple[Witness, str]] = field(
        default_factory=dict[str, tuple[Witness, str]]
    )
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    depths: dict[str, int] = field(default_factory=dict[str, int])
    quorum: str = ""

    def read(self, where: str, words: Sequence[str]) -> None:
        match words:
            case []:
                pass
            case [comment, *_] if comment.startswith("#"):
                pass
            case ["log", vkey, *url] if len(url) <= 1:
                self._add_ledger(where, Verifier.parse(vkey), "".join(url))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._add_witness(where, name, Witness.parse(vkey), "".join(url))
            case ["group", name, threshold, *members] if members:
                self._add_group(where, name, threshold, tuple(members))
            case ["quorum", name]:
                known = name == NONE or self._is_defined(name)
                _demand(
                    where, "one quorum of a name defined before", is_met=known and not self.quorum
                )
                self.quorum = name
            case _:
                expected = "log, witness, group or quorum with its words"
                raise InvalidDocument(where, expected, ascii(" ".join(words)[:80]))

    def _add_ledger(self, where: str, ledger: Verifier, url: str) -> None:
        is_new = all(ledger.public_key != each.public_key for each, _ in self.ledgers)
        _demand(where, "a ledger's key once", is_met=is_new)
        self.ledgers.append((ledger, url))

    def _add_witness(self, where: str, name: str, witness: Witness, url: str) -> None:
        keys = {each.key_bytes for each, _ in self.witnesses.values()}
        _demand(where, "a witness's key once", is_met=witness.key_bytes not in keys)
        _demand(where, "a new name", is_met=not self._is_defined(name))
        self.witnesses[name] = (witness, url)

    def _add_group(self, where: str, name: str, word: str, members: tuple[str, ...]) -> None:
        _demand(where, "a new name", is_met=not self._is_defined(name))
        are_free = all(member != NONE and self._is_defined(member) for member in members)
        taken = [member for group in self.groups.values() for member in group.members]
        once = len(set(members)) == len(members) and not set(members) & set(taken)
        _demand(where, "members defined before, each in one group only", is_met=are_free and once)
        thresholds = {"any": 1, "all": len(members)}
        number = int(word) if _THRESHOLD.fullmatch(word) else thresholds.get(word, 0)
        _demand(where, f"any, all or 1 to {len(members)}", is_met=1 <= number <= len(members))
        depth = 1 + max(self.depths.get(member, 0) for member in members)
        _demand(where, f"groups in at most {MAX_DEPTH} groups", is_met=depth <= MAX_DEPTH)
        self.depths[name] = depth
        self.groups[name] = Group(threshold=number, members=members)

    def _is_defined(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups or name == NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A `.tlog-proof`: where an entry is, the hashes that lead to the root, and the tree head."""

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes | None = None
    """The application's own; nothing vouches for it."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a proof without judging it."""
        if len(text) > MAX_PROOF_CHARACTERS:
            expected = f"at most {MAX_PROOF_CHARACTERS} characters"
            raise InvalidDocument("proof", expected, f"{len(text)}")
        before, _, note = text.partition("\n\n")
        first, *lines = before.split("\n")
        _demand("proof", PROOF_V1, is_met=first == PROOF_V1)
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = base64_decode(lines.pop(0).removeprefix("extra "))
            _demand("extra", "bytes in base64", is_met=bool(extra))
        found = _INDEX.fullmatch(lines[0]) if lines else None
        index = int(found[1]) if found else MAX_INTEGER + 1
        _demand("index", "`index` and a number", is_met=index <= MAX_INTEGER)
        hashes = tuple(base64_decode(line) for line in lines[1:])
        _demand("hashes", f"at most {MAX_HASHES} lines", is_met=len(hashes) <= MAX_HASHES)
        _demand(
            "hashes", "SHA-256 in base64", is_met=all(len(each) == HASH_BYTES for each in hashes)
        )
        treehead.parse(note)
        return cls(index=index, hashes=hashes, note=note, extra=extra)

    def text(self) -> str:
        """The file."""
        lines = [PROOF_V1]
        if self.extra is not None:
            lines.append(f"extra {base64_text(self.extra)}")
        lines += [f"index {self.index}", *map(base64_text, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.note

    def verify(self, leaf: bytes, policy: Policy) -> Witnessed:
        """The evidence that the leaf hash is in a ledger of the policy, seen by its quorum.

        1. The policy accepts the tree head.
        2. The hashes lead from the leaf, at this index, to the head's root.
        """
        witnessed = policy.check(self.note)  # 1
        head = witnessed.head
        merkle.verify_inclusion(leaf, self.index, head.size, self.hashes, head.root)  # 2
        return witnessed


def _demand(field: str, expected: str, *, is_met: bool) -> None:
    if not is_met:
        raise InvalidDocument(field, expected, "something else")
