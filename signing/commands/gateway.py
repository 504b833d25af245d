# SPDX-License-Identifier: Apache-2.0
"""`assay gateway`: stand before a server of OpenAI's protocol, and have its answers signed.

assay gateway --upstream URL --checkpoint OWNER/PROJECT@NAME [--registry URL]
assay gateway --upstream URL --model NAME=OWNER/PROJECT@NAME …
assay gateway --upstream URL --checkpoint OWNER/PROJECT@NAME --key FILE|pkcs11:…

Clients are told its address in the upstream's place. The key that they send is the upstream's, and
goes there; the registry's token is the one that `assay login` kept, or ASSAY_TOKEN.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from .. import canonical
from ..client import RegistryClient, address, is_loopback
from ..client.ownkeys import OwnKey
from ..digests import ID_PREFIX, as_id, parse_id
from ..errors import InvalidDocument, NoTrustRoot, VerificationError
from ..evidence import Evidence
from ..gateway import Check, Notary, OnFailure, Relay, Upstream, serving
from ..trust import Pinned
from ..verify import Content, Requirements, Verified, verify_output
from . import own_key
from .callers import secret_demanded
from .errors import InputUnreadable
from .pins import Pins, of_registry, only_registry
from .published import Asked
from .terminal import Ink, Terminal, safe
from .witness import on_signals, place

LISTEN = "127.0.0.1:8090"
ANSWER_SECONDS = 15.0  # a signature takes a part of a second; three attempts fit their time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `assay gateway`."""
    parser.set_defaults(refuse_words=parser.error)
    add = parser.add_argument
    add("--upstream", required=True, metavar="URL", help="its base URL, which mostly ends in /v1")
    add("--registry", metavar="URL", help="who signs; else the registry that you trust")
    add(
        "--model",
        action="append",
        default=[],
        metavar="NAME=CHECKPOINT",
        help="the checkpoint behind a model's name: OWNER/PROJECT@NAME or its id; may be repeated",
    )
    add("--checkpoint", metavar="CHECKPOINT", help="the checkpoint behind every other model")
    add(
        "--on-failure",
        choices=[*OnFailure],
        type=OnFailure,
        default=OnFailure.REFUSE,
        help="what becomes of an answer that cannot be signed: refused, or passed on and marked "
        "(default: refuse)",
    )
    add("--key", metavar=own_key.KEY, help="with it, your own key signs each answer (P-256)")
    add("--listen", default=LISTEN, metavar="HOST:PORT", help=f"where to answer ({LISTEN})")


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    complaints: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """Answer until the program is stopped, which loses nothing at any moment."""
    if not arguments.model and arguments.checkpoint is None:
        arguments.refuse_words("expected --model NAME=CHECKPOINT or --checkpoint CHECKPOINT")
    pins = Pins.of_user().all()
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    trusted = of_registry(pins, url)
    if not trusted:
        raise NoTrustRoot(f"no registry is trusted yet. To trust it: assay trust add {url}")
    host, port = place(arguments.listen)
    own = own_key.of(arguments.key)
    token, behind = secret_demanded(url), address(arguments.upstream)
    with (
        RegistryClient(url, token, timeout_seconds=ANSWER_SECONDS) as client,
        Upstream(behind) as upstream,
    ):
        relay = Relay(
            upstream=upstream,
            notary=Notary(client=client, check=_check(trusted, own, clock), own=own),
            checkpoints=dict(_model(client, each) for each in arguments.model),
            otherwise=arguments.checkpoint and _checkpoint(client, arguments.checkpoint),
            on_failure=arguments.on_failure,
        )
        _warn(relay, arguments.listen, complaints)
        _serve(relay, host, port, terminal)
    return 0


def _serve(relay: Relay, host: str, port: int, terminal: Terminal) -> None:
    stopped = on_signals()  # before anybody is told that we answer
    try:
        with serving(relay, host, port) as base_url:
            terminal.line(f"answers   {base_url}")
            terminal.line(f"upstream  {safe(relay.upstream.url)}")
            for name, digest in relay.checkpoints.items():
                terminal.line(f"signs     {safe(name)} as {as_id(digest)}")
            if relay.notary.own is not None:
                terminal.line(f"key       {as_id(relay.notary.own.sha256)}")
            if relay.otherwise is not None:
                which = "every other model" if relay.checkpoints else "every model"
                terminal.line(f"signs     {which} as {as_id(relay.otherwise)}")
            terminal.output.flush()
            stopped.wait()
    except OSError as error:
        message = f"nobody can listen on {safe(host)}:{port}: {error.strerror}"
        raise InputUnreadable(message) from error


def _warn(relay: Relay, listen: str, complaints: Terminal) -> None:
    """What whoever runs it should know before anybody asks."""
    if not is_loopback(f"http://{listen}"):
        said = "others reach this gateway: whoever the upstream answers, you sign for"
        complaints.columns("! ", said, indent=2, ink=Ink.YELLOW)
    if relay.on_failure is OnFailure.PASS:
        said = "answers that cannot be signed are passed on, marked as missing their evidence"
        complaints.columns("! ", said, indent=2, ink=Ink.YELLOW)
    complaints.output.flush()


def _model(client: RegistryClient, words: str) -> tuple[str, str]:
    name, equals, checkpoint = words.rpartition("=")
    if not equals or not name:
        raise InvalidDocument("--model", "NAME=CHECKPOINT", ascii(words[:200]))
    return name, _checkpoint(client, checkpoint)


def _checkpoint(client: RegistryClient, name: str) -> str:
    """The digest of a checkpoint: as it is said, or as the registry names it now."""
    if name.startswith(ID_PREFIX):
        return parse_id(name, "checkpoint")
    asked = Asked.parse(name)
    if asked.checkpoint is None:
        raise InvalidDocument("checkpoint", "OWNER/PROJECT@NAME", ascii(name[:200]))
    path = f"/api/v1/projects/{asked.project}/checkpoints/{asked.checkpoint}"
    with canonical.within("checkpoint"):
        stated = canonical.as_mapping(client.get_json(path), "checkpoint")
        return parse_id(canonical.text(stated, "id"))


def _check(trusted: tuple[Pinned, ...], own: OwnKey | None, clock: Callable[[], datetime]) -> Check:
    """Verify down to the conduct, under whichever root it verifies by, and by one's own key if any.

    No witness has seen what was signed a moment ago, so none is asked for; who verifies the bundle
    later asks by the policy of their own.
    """

    def check(evidence: Evidence, content: Content) -> Verified:
        signer_key = None if own is None else own.sha256
        requirements = Requirements(as_of=clock(), signer_key=signer_key)
        refusals: list[VerificationError] = []
        for pin in trusted:
            try:
                return verify_output(
                    evidence, trust=pin.root, requirements=requirements, content=content
                )
            except VerificationError as error:
                refusals.append(error)
        raise refusals[0]

    return check
