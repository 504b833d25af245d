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
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from .. import canonical, durable, media
from ..client import RegistryClient, address
from ..client.ownkeys import OwnKey
from ..digests import as_id, parse_id
from ..errors import (
    BadCredentials,
    BrokenLink,
    InvalidDocument,
    NoTrustRoot,
    TextMismatch,
    WrongKey,
)
from ..evidence import Evidence
from ..media import Carrier
from . import contents, crediting, guessing, methods, own_key
from .assertions import ANSWER_SECONDS, Assertion, Holder, Office
from .callers import secret_demanded
from .crediting import Maker
from .errors import DestinationTaken, InputUnreadable
from .inputs import EVIDENCE_SUFFIX
from .pins import Pins, of_registry, only_registry
from .public import write_public
from .terminal import Terminal

UNPINNED_KEY = "expected a pinned root before your key signs, found none: assay trust add"


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
    wanted = _wanted(path, arguments)
    pins = Pins.of_user().all()
    url = address(arguments.registry or only_registry(pins, word="--registry URL"))
    trusted = of_registry(pins, url)
    own = own_key.of(arguments.key)
    if own is not None and not trusted:
        raise NoTrustRoot(f"{UNPINNED_KEY} {url}")
    maker = _maker(arguments, own, url)
    beside = path.with_name(path.name + EVIDENCE_SUFFIX)
    holder = Holder(pins=trusted, own=own, clock=clock)
    if beside.exists():
        _kept(beside, wanted, holder)
        terminal.columns("", f"{path} is signed already: {beside}", indent=0)
        return 0
    if maker is None:
        _check_bare(path, wanted.carrier)
    try:
        with RegistryClient(url, secret_demanded(url), timeout_seconds=ANSWER_SECONDS) as client:
            office = Office(client=client, holder=holder, sleep=sleep)
            if maker is None:
                evidence = office.signed(wanted, name=str(path))
            else:
                evidence = _embedded(office, path, wanted, maker)
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


def _check_bare(path: Path, carrier: Carrier | None) -> None:
    """Refuse a file whose manifest names another output, or none: evidence beside it would fail."""
    if carrier is not None:
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


def _embedded(office: Office, path: Path, wanted: Assertion, maker: Maker) -> Evidence:
    """Have the file with a manifest signed; verified, it takes the place of the one without.

    A command that was killed between the two has left that file, and its evidence with the
    registry.
    """
    if wanted.carrier is not None:
        before = office.signed_before(wanted, name=str(path))
        if before is not None:
            return before
    kind, registry = wanted.media_type, office.holder.pins[0].root.registry
    with path.open("rb") as source:
        maker.check_bare(kind, source)
        source.seek(0)
        output, definition = crediting.ask(
            office.client, wanted.checkpoint, kind, registry=registry
        )
        with durable.replacing(path) as file:
            maker.embed(definition, kind, source=source, target=file)
            file.flush()
            made = Path(file.name)
            found = contents.read(made)
            whole = replace(wanted, content=found.content, carrier=found.carrier, output=output)
            evidence = office.signed(whole, name=str(path))
            shutil.copymode(path, made)
    return evidence


def _wanted(path: Path, arguments: argparse.Namespace) -> Assertion:
    try:
        found = contents.read(path)
    except OSError as error:
        raise InputUnreadable(f"{path}: {error.strerror or error}") from error
    return Assertion(
        checkpoint=parse_id(arguments.checkpoint, "--checkpoint"),
        media_type=arguments.media_type or guessing.media_type(path, found),
        content=found.content,
        carrier=found.carrier,
    )


def _kept(beside: Path, wanted: Assertion, holder: Holder) -> None:
    """What lies there already is evidence of the same, or is left as it is.

    Whether a manifest says the same, too, is for who verifies the file: nothing is signed here.
    """
    try:
        found = Evidence.parse(canonical.loads(beside.read_bytes()))
        holder.hold(found, replace(wanted, carrier=None), name=str(beside))
    except (BrokenLink, InvalidDocument, TextMismatch, WrongKey) as error:
        raise DestinationTaken(
            f"{beside}: expected no file, or the evidence of what is to be signed; found another "
            f"({error}). It was left as it is"
        ) from error
