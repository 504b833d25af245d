# SPDX-License-Identifier: Apache-2.0
"""`assay sign FILE --checkpoint sha256:…`: have an output signed as the caller's own word.

Only digests leave this machine; those of a text's lines stay in its evidence. The registry's signer
signs, or with --key a key of the caller's own. What comes back is verified before it is written
beside the file; run again, the same command signs nothing twice, and goes on where it was cut off.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from .. import canonical, durable, media
from ..canonical import Obj
from ..client import RegistryClient, address, asserted
from ..client.errors import ClientError
from ..client.ownkeys import OwnKey
from ..digests import as_id, parse_id, sha256
from ..errors import (
    BadCredentials,
    BrokenLink,
    InvalidDocument,
    MissingEvidence,
    NoTrustRoot,
    TextMismatch,
    WrongKey,
)
from ..evidence import Evidence
from ..media import Carrier
from ..statements import Origin
from ..trust import Pinned
from ..verify import Content, Match, Verified
from . import contents, crediting, guessing, methods, own_key
from .callers import secret_demanded
from .crediting import Maker
from .demands import Demands
from .errors import DestinationTaken, InputUnreadable
from .given import OutputGiven
from .inputs import EVIDENCE_SUFFIX
from .judging import judge
from .pins import Pins, of_registry, only_registry
from .public import write_public
from .terminal import Terminal

ANSWER_SECONDS = 60.0  # each is signed and logged before it is answered
POLL_SECONDS = 1.0
BY_CONTENT = "/api/v1/outputs/by-content"
UNPINNED_KEY = "expected a pinned root before your key signs, found none: assay trust add"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What the caller says of a file."""

    checkpoint: str
    """Its id, in hexadecimal."""
    media_type: str
    content: Content
    output: str | None = None
    """Its id, where a manifest in the file names it already."""

    def body(self) -> dict[str, object]:
        """What is sent: no byte of the file is in it."""
        said: dict[str, object] = {
            "checkpoint": as_id(self.checkpoint),
            "media_type": self.media_type,
            "digests": asserted.digests(self.content),
        }
        return said if self.output is None else {**said, "output": self.output}


def run(
    arguments: argparse.Namespace,
    *,
    terminal: Terminal,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Have it signed, verify that, and write the evidence; raises AssayError."""
    _check_words(arguments)
    path: Path = arguments.model
    wanted, carrier = _wanted(path, arguments)
    pins = Pins.of_user().all()
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    trusted = of_registry(pins, url)
    own = own_key.of(arguments.key)
    if own is not None and not trusted:
        raise NoTrustRoot(f"{UNPINNED_KEY} {url}")
    maker = _maker(arguments, own, url)
    beside = path.with_name(path.name + EVIDENCE_SUFFIX)
    if beside.exists():
        _kept(beside, wanted, trusted, _demands(own, clock()))
        terminal.columns("", f"{path} is signed already: {beside}", indent=0)
        return 0
    _check_bare(path, carrier, maker)
    try:
        with RegistryClient(url, secret_demanded(url), timeout_seconds=ANSWER_SECONDS) as client:

            def signed(of: Assertion, carrier: Carrier | None) -> Evidence:
                evidence = before or _signed(client, of, own, sleep)
                _check(evidence, of, trusted, _demands(own, clock()), str(path), carrier)
                return evidence

            is_cut_off = maker is not None and carrier is not None
            before = _signed_before(client, wanted) if is_cut_off else None
            if maker is None or before is not None:
                evidence = signed(wanted, carrier if is_cut_off else None)
            else:
                registry = trusted[0].root.registry
                evidence = _embedded(client, path, wanted, maker, registry=registry, sign=signed)
    except OSError as error:  # of the file, or the folder where certificates are kept
        raise InputUnreadable(f"{error.filename}: {error.strerror or error}") from error
    write_public(beside, evidence.canonical())
    said = f"{path} was made from the checkpoint {as_id(wanted.checkpoint)}"
    whole = f"Signed as your own word: {said}. The evidence is in {beside}"
    terminal.columns("", whole, indent=0)
    if own is not None:
        terminal.columns("", f"By your own key: {as_id(own.sha256)}", indent=0)
    if maker is not None:
        terminal.columns("", "The file has a C2PA manifest now, by your own certificate.", indent=0)
    return 0


def _check_words(arguments: argparse.Namespace) -> None:
    """Refuse words of a model, and words of a manifest that go with nothing."""
    models = ("method", *methods.words_of(methods.SIGNING), "output_bundle", "ignore_paths")
    methods.refuse(arguments, models, why="is for a model, and not for an output")
    if arguments.c2pa_chain is None:
        methods.refuse(arguments, ("c2pa_key", "c2pa_tsa"), why="goes with --c2pa-chain")
    elif arguments.key is None:
        arguments.refuse_words("--c2pa-chain needs --key, which signs the output")


def _check_bare(path: Path, carrier: Carrier | None, maker: Maker | None) -> None:
    """Refuse a file whose manifest names another output, or none: evidence beside it would fail.

    Of one that gets a manifest of one's own, whether it has another is found with the library.
    """
    if carrier is not None and maker is None:
        where = "in it" if carrier.sidecar is None else f"beside it ({path.name}{media.SUFFIX})"
        raise BadCredentials(
            f"{path}: expected a file without a C2PA manifest, found one {where}, which does not "
            "speak of what you would sign now: whoever verifies the file would be told so. "
            "Nothing was signed"
        )


def _maker(arguments: argparse.Namespace, own: OwnKey | None, url: str) -> Maker | None:
    """Whoever signs a manifest, if one is to be made."""
    if arguments.c2pa_chain is None or own is None:
        return None
    named: str | None = arguments.c2pa_key
    return Maker.of(
        own.key if named is None else own_key.load_any(named),
        arguments.c2pa_chain,
        stamps=arguments.c2pa_tsa or f"{url}{crediting.STAMPS}",
    )


def _embedded(
    client: RegistryClient,
    path: Path,
    wanted: Assertion,
    maker: Maker,
    *,
    registry: str,
    sign: Callable[[Assertion, Carrier | None], Evidence],
) -> Evidence:
    """Have the file with a manifest signed; verified, it takes the place of the one without."""
    kind = wanted.media_type
    with path.open("rb") as source:
        maker.check_bare(kind, source)
        source.seek(0)
        output, definition = crediting.ask(client, wanted.checkpoint, kind, registry=registry)
        with durable.replacing(path) as file:
            maker.embed(definition, kind, source=source, target=file)
            file.flush()
            made = Path(file.name)
            found = contents.read(made)
            evidence = sign(replace(wanted, content=found.content, output=output), found.carrier)
            shutil.copymode(path, made)
    return evidence


def _signed_before(client: RegistryClient, wanted: Assertion) -> Evidence | None:
    """What the registry has of just these bytes, from a command that was killed.

    Between the file with its manifest and the evidence there is a moment in which only the first is
    there.
    """
    try:
        found = _answer(client.get_json(f"{BY_CONTENT}/{wanted.content.sha256}"))
    except ClientError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None
    own = {"checkpoint": as_id(wanted.checkpoint), "claim": Origin.CALLER_ASSERTED, "batch": None}
    for each in canonical.items(found, "outputs"):
        listed = canonical.as_mapping(each, "outputs")
        if own.items() <= listed.items():
            answer = _answer(client.get_json(f"/api/v1/outputs/{canonical.text(listed, 'id')}"))
            return Evidence.parse(canonical.mapping(answer, "evidence"))
    return None


def _demands(own: OwnKey | None, now: datetime) -> Demands:
    return Demands(as_of=now.replace(microsecond=0), signer_key=None if own is None else own.sha256)


def _wanted(path: Path, arguments: argparse.Namespace) -> tuple[Assertion, Carrier | None]:
    """What is to be signed; and the file, if it has a C2PA manifest."""
    try:
        found = contents.read(path)
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror or error}") from error
    wanted = Assertion(
        checkpoint=parse_id(arguments.checkpoint, "--checkpoint"),
        media_type=arguments.media_type or guessing.media_type(path, found),
        content=found.content,
    )
    return wanted, found.carrier


def _signed(
    client: RegistryClient,
    wanted: Assertion,
    own: OwnKey | None,
    sleep: Callable[[float], None],
) -> Evidence:
    """The same words go under the same key, so that nothing is signed twice."""
    sent = wanted.body()
    key = f"assay-sign-{sha256(canonical.dumps(sent))}"
    if own is None:
        answer = _answer(client.post_json("/api/v1/outputs/sign", sent, idempotency_key=key))
    else:
        answer = own.signed(client, sent, idempotency_key=f"{key}-{own.sha256}")
    waited = 0.0
    while "evidence" not in answer and "failure" not in answer and waited < ANSWER_SECONDS:
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
        name = canonical.text(answer, "id")
        answer = _answer(client.get_json(f"/api/v1/outputs/{name}"))
    if "evidence" not in answer:
        raise MissingEvidence(
            f"expected a signed output, found one that is {canonical.text(answer, 'state')!a}: "
            "the same command again goes on with it"
        )
    with canonical.within("answer.evidence"):
        found = Evidence.parse(canonical.mapping(answer, "evidence"))
    return asserted.with_lines(found, wanted.content)


def _answer(value: object) -> Obj:
    return canonical.as_mapping(value, "answer")


def _check(
    evidence: Evidence,
    wanted: Assertion,
    pins: tuple[Pinned, ...],
    demanded: Demands,
    name: str,
    carrier: Carrier | None = None,
) -> Verified:
    """What was signed verifies, is what was asked for, and by the key that was to sign it."""
    given = OutputGiven(
        evidence=evidence, answer=None, content=wanted.content, files=None, carrier=carrier
    )
    found = judge(given, pins, demanded, name=name).examination.verdict()
    claim = found.output
    if claim is None or found.match is not Match.IDENTICAL:
        raise BrokenLink("expected evidence of these very bytes, found that of others")
    said = (claim.checkpoint_sha256, claim.claim)
    if said != (wanted.checkpoint, Origin.CALLER_ASSERTED):
        raise BrokenLink(
            f"expected your word about the checkpoint {as_id(wanted.checkpoint)}, "
            f"found {claim.claim} about {as_id(claim.checkpoint_sha256)}"
        )
    return found


def _kept(beside: Path, wanted: Assertion, pins: tuple[Pinned, ...], demanded: Demands) -> None:
    """What lies there already is evidence of the same, or is left as it is."""
    try:
        found = Evidence.parse(canonical.loads(beside.read_bytes()))
        _check(found, wanted, pins, demanded, str(beside))
    except (BrokenLink, InvalidDocument, TextMismatch, WrongKey) as error:
        raise DestinationTaken(
            f"{beside}: expected no file, or the evidence of what is to be signed; found another "
            f"({error}). It was left as it is"
        ) from error
