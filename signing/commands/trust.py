# SPDX-License-Identifier: Apache-2.0
"""`assay trust`: decide which registries to believe. Pinning is the user's act, never a guess.

assay trust add URL [--fingerprint sha256:…] [--policy FILE]
assay trust list [--json]
assay trust remove URL_OR_FINGERPRINT
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from .. import canonical
from ..client import RegistryClient, is_loopback
from ..digests import as_id, parse_id
from ..errors import InvalidDocument
from ..trust import Pinned, TrustRoot
from . import demands
from .errors import AlreadyPinned, FingerprintMismatch, InputUnreadable, NotPinned, UnknownPin
from .pinned import pin_json, trusted
from .pins import MAX_PIN_BYTES, Pins
from .terminal import Ink, Terminal, safe

LABEL_COLUMNS = 13
YES = frozenset({"y", "yes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Whom the command speaks with, and what time it is."""

    terminal: Terminal
    answers: TextIO
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def is_with_a_person(self) -> bool:
        """Whether there is somebody to answer a question."""
        return self.answers.isatty()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be pinned: no other root than that of a fingerprint, and with which policy."""

    fingerprint: str | None = None
    policy: Path | None = None


def add_parsers(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay trust`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="fetch a registry's trust root, show it, and pin it")
    add.add_argument("source", metavar="URL", help="the registry, or a saved trust-root.json")
    add.add_argument(
        "--fingerprint",
        metavar="sha256:…",
        help="pin without asking, and refuse any other",
    )
    add.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="which witnesses must have seen its ledger, in all that is verified later",
    )
    shown = actions.add_parser("list", help="show what is pinned, since when and from where")
    shown.add_argument("--json", action="store_true", help="for programs")
    remove = actions.add_parser("remove", help="stop trusting a registry")
    remove.add_argument("which", metavar="URL", help="the registry, or the fingerprint")


def run(arguments: argparse.Namespace, *, terminal: Terminal) -> int:
    """Do what was asked; raises AssayError."""
    pins = Pins.of_user()
    match arguments.action:
        case "add":
            wanted = Wanted(fingerprint=arguments.fingerprint, policy=arguments.policy)
            with_whom = Conversation(terminal=terminal, answers=sys.stdin)
            add(arguments.source, wanted=wanted, pins=pins, conversation=with_whom)
        case "list":
            show(pins.all(), terminal=terminal, as_json=arguments.json)
        case _:
            remove(arguments.which, pins=pins, terminal=terminal)
    return 0


def add(source: str, *, wanted: Wanted, pins: Pins, conversation: Conversation) -> None:
    """Pin a trust root, if its fingerprint is the expected one or the person asked says yes."""
    fingerprint = None if wanted.fingerprint is None else parse_id(wanted.fingerprint)
    root = fetch(source)
    if fingerprint not in {None, root.fingerprint}:
        raise FingerprintMismatch(
            f"expected {wanted.fingerprint}, found {as_id(root.fingerprint)}: not pinned"
        )
    policy = None if wanted.policy is None else policy_of(wanted.policy, root)
    known = _known(root, pins)
    if known is not None:
        _add_to(known, policy, pins=pins, terminal=conversation.terminal)
        return
    show_root(root, source=source, terminal=conversation.terminal)
    if fingerprint is None:
        _ask(root, conversation=conversation)
    pin = Pinned(root=root, pinned_at=conversation.clock(), pinned_from=source, policy=policy)
    path = pins.add(pin)
    terminal = conversation.terminal
    terminal.line("Pinned. From now on assay verify believes what this root certifies.")
    if policy is not None:
        terminal.columns("", _demanded(policy), indent=0)
    terminal.line(f"  {safe(str(path))}")


def policy_of(path: Path, root: TrustRoot) -> str:
    """The text of a policy file, which must name the ledger of the root that it is pinned with."""
    policy, text = demands.read_policy(path)
    if root.verifier not in {ledger.text() for ledger, _ in policy.ledgers}:
        raise InvalidDocument(path.name, f"a line `log {root.verifier}`", "none")
    return text


def _known(root: TrustRoot, pins: Pins) -> Pinned | None:
    """The pin of this very root; raises AlreadyPinned for another root of the same registry."""
    for known in pins.all():
        if known.root.fingerprint == root.fingerprint:
            return known
        if known.root.registry == root.registry:
            raise AlreadyPinned(
                f"{root.registry} now shows another trust root ({as_id(root.fingerprint)}) than "
                f"the one you pinned on {known.pinned_at:%Y-%m-%d} "
                f"({as_id(known.root.fingerprint)}). If it was set up anew on purpose: "
                f"assay trust remove {root.registry}"
            )
    return None


def _add_to(known: Pinned, policy: str | None, *, pins: Pins, terminal: Terminal) -> None:
    """A root that is pinned already is not pinned again, but its policy may be new."""
    if policy is None or policy == known.policy:
        terminal.columns("", f"{trusted(known)} Nothing was changed.", indent=0)
        return
    pin = replace(known, policy=policy)
    pins.add(pin)
    terminal.columns("", f"{trusted(pin)} {_demanded(policy)}", indent=0)


def _demanded(text: str) -> str:
    """What a policy demands, in words."""
    policy = demands.parse_policy(text)
    return (
        f"Its ledger must have been seen by {policy.quorum} of {len(policy.witnesses)} witnesses."
    )


def fetch(source: str) -> TrustRoot:
    """The trust root that a registry, or a file, shows."""
    if source.startswith(("http://", "https://")):
        with RegistryClient(source) as client:
            return client.trust_root()
    try:
        with Path(source).open("rb") as file:
            data = file.read(MAX_PIN_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"expected http://…, https://… or a file, found {source!a}: {reason}"
        raise InputUnreadable(message) from error
    return TrustRoot.parse(canonical.loads(data, max_bytes=MAX_PIN_BYTES))


def show_root(root: TrustRoot, *, source: str, terminal: Terminal) -> None:
    """All that a person can compare before deciding."""
    certificate = root.root
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    rows = {
        "Registry": root.registry,
        "Ledger": root.origin,
        "Root": certificate.subject.rfc4514_string(),
        "Valid": f"{starts:%Y-%m-%d} to {ends:%Y-%m-%d}",
        "Fingerprint": "",
    }
    for label, value in rows.items():
        terminal.columns(label, value, indent=LABEL_COLUMNS)
    terminal.line(f"  {terminal.paint(Ink.BOLD, as_id(root.fingerprint))}")
    terminal.line()
    if source.rstrip("/") != root.registry:
        _warn(terminal, f"It calls itself {root.registry}, but was read from {source}.")
    if source.startswith("http://") and not is_loopback(source):
        _warn(terminal, "It came over an unencrypted connection, which others can change.")
    for line in (
        "Compare the fingerprint with one that its operator gave you in another way.",
        "Whoever holds this root can make anything look signed by this registry.",
    ):
        terminal.line(line)
    terminal.line()


def _ask(root: TrustRoot, *, conversation: Conversation) -> None:
    """Return if the person says yes; raise otherwise. Silence is never a yes."""
    if not conversation.is_with_a_person:
        raise NotPinned(
            "nobody is there to ask, so nothing was pinned. To pin it without a question: "
            f"--fingerprint {as_id(root.fingerprint)}"
        )
    conversation.terminal.ask(f"Trust {root.registry} from now on? [y/N] ")
    if conversation.answers.readline().strip().lower() not in YES:
        raise NotPinned("you did not say yes: nothing was pinned")


def show(pins: tuple[Pinned, ...], *, terminal: Terminal, as_json: bool) -> None:
    """Every pin: the registry, its fingerprint, since when, and from where."""
    if as_json:
        terminal.line(json.dumps([pin_json(pin) for pin in pins], indent=2))
        return
    if not pins:
        terminal.line("No registry is trusted yet, so nothing verifies: assay trust add URL")
    for pin in pins:
        terminal.line(terminal.paint(Ink.BOLD, safe(pin.root.registry)))
        terminal.line(f"  {as_id(pin.root.fingerprint)}")
        where = f"pinned on {pin.pinned_at:%Y-%m-%d} from {pin.pinned_from}"
        terminal.columns("", where, indent=2)
        if pin.policy is not None:
            terminal.columns("", _demanded(pin.policy), indent=2)


def remove(which: str, *, pins: Pins, terminal: Terminal) -> None:
    """Forget every pin of that registry, or with that fingerprint."""
    names = {which, which.rstrip("/")}
    found = [pin for pin in pins.all() if names & {pin.root.registry, as_id(pin.root.fingerprint)}]
    if not found:
        raise UnknownPin(f"no pinned trust root is of {which!a}: assay trust list")
    for pin in found:
        pins.remove(pin)
        terminal.columns(
            "", f"Forgotten: {pin.root.registry} ({as_id(pin.root.fingerprint)})", indent=0
        )


def _warn(terminal: Terminal, text: str) -> None:
    terminal.columns(terminal.paint(Ink.YELLOW, "! "), text, indent=2, ink=Ink.YELLOW)
