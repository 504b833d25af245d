# SPDX-License-Identifier: Apache-2.0
"""`assay conduct`: read a conduct policy's version, accept exactly that one, or withdraw.

assay conduct show POLICY@VERSION [--registry URL]
assay conduct accept POLICY@VERSION [--for OWNER] [--key KEY] [--registry URL]
assay conduct prove POLICY@VERSION --to FILE [--for OWNER] [--before ENTRY] [--registry URL]
assay conduct withdraw POLICY@VERSION [--for OWNER] [--registry URL]

Accepting shows the whole text and asks for the version to be typed. No word of the command line
does that: what nobody read, nobody accepts. With a key of one's own it is signed by that as well.
An acceptance that is proved to others names its party (`proving`).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TextIO

from .. import canonical, policies
from ..bundle import Bundle
from ..certificates import Purpose
from ..client import ClientError, RegistryClient, address
from ..client.whoami import WhoAmI
from ..digests import as_id, sha256
from ..errors import BrokenLink, InvalidDocument, NoTrustRoot, Outcome
from ..keys import Signer
from ..policies import Policy
from ..statements import ConductClaim, ConductReference, Consent, ConsentClaim, Statement
from . import own_key, proving
from .callers import secret_demanded, secret_for
from .demands import Demands, lists_in
from .errors import NotAgreed
from .given import BundleGiven
from .judging import judge
from .logins import registry_meant
from .pins import Pins, of_registry
from .steps import print_steps
from .terminal import Ink, Terminal, safe
from .verdict import Judged, print_verdict

_NAME = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)@([0-9]+\.[0-9]+)")
SHOW, ACCEPT, PROVE, WITHDRAW = "show", "accept", "prove", "withdraw"
UNVERIFIED = "Not verified: no root of this registry is pinned. To pin it: assay trust add URL"
UNPINNED_KEY = "expected a pinned root before your key signs, found none: assay trust add"
WITHDRAWN_BY = "To end it: assay conduct withdraw {} --for {}"


def add_parsers(parser: argparse.ArgumentParser) -> None:
    """The actions of `assay conduct`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, purpose in (
        (SHOW, "print the text of a version"),
        (ACCEPT, "read a version, and accept it by typing its number"),
        (PROVE, "write an acceptance to a file, to show with what was signed by it"),
        (WITHDRAW, "end an acceptance: nothing more is signed under it"),
    ):
        add = actions.add_parser(action, help=purpose).add_argument
        add("version", metavar="POLICY@VERSION", help="such as community-language-models@1.1")
        add("--registry", metavar="URL", help="where; else the one that you trust")
        if action != SHOW:
            add("--for", dest="owner", metavar="OWNER", help="an organisation; else yourself")
        if action == PROVE:
            add("--to", type=Path, required=True, metavar="FILE", help="where to write it")
            earlier = "one that stood when this entry of the ledger was made; else one that stands"
            add("--before", type=int, metavar="ENTRY", help=earlier)
        if action == ACCEPT:
            signs = "a key of your own that signs it, too: P-256, PEM of mode 0600, or a token's"
            add("--key", metavar=own_key.KEY, help=signs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A version as the registry shows it: its document, and the text that says the same."""

    policy: Policy
    text: str
    bundle: Bundle

    @property
    def reference(self) -> ConductReference:
        """How statements name it."""
        of = self.policy
        return ConductReference(id=of.id, version=of.version, sha256=of.sha256)

    @classmethod
    def fetch(cls, client: RegistryClient, path: str, *, named: str) -> Self:
        """Raises BrokenLink where text, document and statement are not of one another.

        1. The document is of the version that was asked for. 2. The signed statement names the
        digests of both. 3. The text says every clause.
        """
        answer = canonical.as_mapping(client.get_document(path), "conduct")
        policy = policies.parse(canonical.mapping(answer, "policy"))
        text = canonical.text(answer, "text", max_characters=canonical.MAX_BYTES)
        if f"{policy.id}@{policy.version}" != named:  # 1
            raise BrokenLink(f"expected {named}, found {policy.id}@{policy.version}")
        with canonical.within("bundle"):
            bundle = Bundle.parse(canonical.mapping(answer, "bundle"))
        claim = ConductClaim.parse(Statement.parse(bundle.envelope.payload))
        shown = cls(policy=policy, text=text, bundle=bundle)
        if (claim.conduct, claim.text_sha256) != (shown.reference, sha256(text.encode())):  # 2
            raise BrokenLink("expected a statement about this document and this text")
        for clause in policy.clauses:  # 3
            if not all(each in text for each in (clause.id, clause.title, clause.text)):
                raise BrokenLink(f"expected a text with {clause.id} word for word, found another")
        return shown


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    answers: TextIO | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Do what was asked; raises AssayError.

    Where a root is pinned, what does not verify under it is neither shown nor accepted; where none
    is, nothing is signed with a key of one's own.
    """
    found = _NAME.fullmatch(arguments.version)
    if found is None:
        raise InvalidDocument("version", "POLICY@VERSION", ascii(arguments.version[:80]))
    is_accepted = arguments.action == ACCEPT
    key = own_key.load(arguments.key) if is_accepted and arguments.key else None
    url = address(arguments.registry or registry_meant())
    path = f"/api/v1/conduct/{found[1]}/{found[2]}"
    secret = secret_for(url) if arguments.action == SHOW else secret_demanded(url)
    with RegistryClient(url, secret) as client:
        if arguments.action == WITHDRAW:
            client.delete(f"{path}/acceptances/{_owner(arguments, client)}")
            terminal.line(f"Withdrawn. Nothing more is signed under {arguments.version}.")
            return 0
        if arguments.action == PROVE:
            _prove(arguments, client, path, terminal, at=clock())
            return 0
        shown = Shown.fetch(client, path, named=arguments.version)
        judged = _judged(shown, client, clock(), name=arguments.version)
        if judged is not None and judged.failure is not None:
            print_steps(judged.examination.steps, terminal)
            print_verdict(judged, terminal)
            return judged.failure.exit_code
        if key is not None and judged is None:
            raise NoTrustRoot(f"{UNPINNED_KEY} {url}")
        _print(shown, terminal)
        _say(judged, terminal)
        if is_accepted:
            owner = _owner(arguments, client)
            _ask(shown, owner, terminal, answers or sys.stdin)
            consent = _consent(shown, judged, owner, key, clock())
            _accept(client, path, owner, consent)
            _say_done(consent, arguments.version, owner, terminal)
        elif secret is not None:
            _say_mine(client, path, terminal)
    return 0


def _prove(
    arguments: argparse.Namespace,
    client: RegistryClient,
    path: str,
    terminal: Terminal,
    *,
    at: datetime,
) -> None:
    owner, named, before = _owner(arguments, client), arguments.version, arguments.before
    found = proving.fetch(client, path, owner=owner, named=named, before=before, at=at)
    proving.write(arguments.to, found, terminal)


def _consent(
    shown: Shown, judged: Judged | None, owner: str, key: Signer | None, at: datetime
) -> Consent | None:
    """What the person's own key signs, once they have typed the version."""
    if key is None or judged is None:
        return None
    claim = ConsentClaim(
        conduct=shown.reference,
        text_sha256=sha256(shown.text.encode()),
        party=f"{judged.pin.root.registry}/{owner}",
        agreed_at=at.replace(microsecond=0),
    )
    return Consent.by(key, claim)


def _accept(client: RegistryClient, path: str, owner: str, consent: Consent | None) -> None:
    """Raises ClientError, or BrokenLink where what is kept is not what the key signed."""
    if consent is None:
        client.post_json(f"{path}/acceptances", {"owner": owner})
        return
    sent = {"owner": owner, "consent": consent.to_json()}
    answer = canonical.as_mapping(client.post_json(f"{path}/acceptances", sent), "acceptance")
    kept = canonical.mapping(answer, "consent")
    if kept.get("key_sha256") != consent.key_sha256:
        raise BrokenLink("expected an acceptance that your key signed, found another")


def _say_done(consent: Consent | None, named: str, owner: str, terminal: Terminal) -> None:
    terminal.headline("Accepted: signed, and in the ledger.", Ink.GREEN)
    if consent is not None:
        terminal.columns("", f"Your key signed it, too: {as_id(consent.key_sha256)}", indent=2)
    terminal.columns("", WITHDRAWN_BY.format(named, owner), indent=2)


def _say_mine(client: RegistryClient, path: str, terminal: Terminal) -> None:
    """What the caller has accepted of it; the text is shown all the same where nobody says."""
    try:
        owner = WhoAmI.ask(client).actor.rpartition(":")[2]
        found = client.get_json(f"{path}/acceptances/{owner}")
    except ClientError:
        return
    answer = canonical.as_mapping(found, "acceptance")
    said = f"Accepted by {owner}, {canonical.text(answer, 'accepted_at')}"
    if answer.get("consent") is not None:
        kept = canonical.mapping(answer, "consent")
        key = canonical.sha256_hex(kept, "key_sha256")
        said += f", and signed with a key of their own: {as_id(key)}"
    terminal.columns("", said, indent=2)


def _judged(shown: Shown, client: RegistryClient, at: datetime, *, name: str) -> Judged | None:
    """The signature, under what is pinned; None where nothing of this registry is."""
    trusted = of_registry(Pins.of_user().all(), client.url)
    if not trusted:
        return None
    lists = lists_in(client.revocation_lists(), name="the registry's revocation lists")
    given = BundleGiven(bundle=shown.bundle, purpose=Purpose.CONDUCT, lists=lists)
    return judge(given, trusted, Demands(as_of=at), name=name)


def _say(judged: Judged | None, terminal: Terminal) -> None:
    """On whose word it rests that this is the text."""
    if judged is None:
        terminal.columns("", UNVERIFIED, indent=2, ink=Ink.YELLOW)
    else:
        signer = judged.examination.verdict().parts[0].signer
        terminal.columns(f"{terminal.mark(Outcome.PASSED)} ", f"signed by {signer}", indent=2)


def _owner(arguments: argparse.Namespace, client: RegistryClient) -> str:
    named: str | None = arguments.owner
    return named or WhoAmI.ask(client).actor.rpartition(":")[2]


def _print(shown: Shown, terminal: Terminal) -> None:
    for line in shown.text.splitlines():
        mark, _, heading = line.partition(" ")
        if mark.strip("#"):
            terminal.columns("", line.replace("**", ""), indent=0)
        else:
            terminal.line(terminal.paint(Ink.BOLD, safe(heading)))
    terminal.line()
    terminal.line(as_id(shown.policy.sha256))


def _ask(shown: Shown, owner: str, terminal: Terminal, answers: TextIO) -> None:
    """Return if the person types the version; raise NotAgreed otherwise."""
    number = shown.policy.version
    if not answers.isatty():
        raise NotAgreed("nobody is there to read it, so nothing was accepted")
    terminal.line()
    terminal.ask(f"Type {number} to accept it for {owner}: ")
    if answers.readline().strip() != number:
        raise NotAgreed(f"you did not type {number}: nothing was accepted")
