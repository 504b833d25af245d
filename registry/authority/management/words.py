# SPDX-License-Identifier: Apache-2.0
"""What the actions of `manage.py authority` have in common: their form, and options they share."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from django.conf import settings
from django.core.management.base import CommandError

from assay.signing.errors import InvalidDocument
from assay.signing.intermediates import Name
from assay.signing.signer.keyring import Place
from assay.signing.signer.offline import URL_FILE
from registry.authority.ceremony import Means
from registry.authority.rotating import RootAtHand

Options: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One word after `authority`: its arguments, and the lines that it says."""

    help: str
    add: Callable[[ArgumentParser], None]
    run: Callable[[Options], Iterator[str]]


def add_means(parser: ArgumentParser) -> None:
    """Where keys are kept."""
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        help="what the signer's keys are encrypted with; made if it is not there "
        "(default: secrets/signer-passphrase in ASSAY_DATA_DIR)",
    )
    parser.add_argument("--module", type=Path, help="a PKCS#11 module's library: keys in a token")
    parser.add_argument("--token", help="the label of that token")
    parser.add_argument("--pin-file", type=Path, help="its PIN, in a file of mode 0600")


def means(options: Options) -> Means:
    """Files, or a token if one is named."""
    default = Path(settings.DATA_DIR) / "secrets" / "signer-passphrase"
    module, pin_file, token = path(options, "module"), path(options, "pin_file"), options["token"]
    passphrase_file = path(options, "passphrase_file") or default
    if module is None and pin_file is None and token is None:
        return Means(passphrase_file=passphrase_file)
    if module is None or pin_file is None or not isinstance(token, str):
        raise CommandError("expected --module, --token and --pin-file together")
    for file, meaning in ((module, "a PKCS#11 module's library"), (pin_file, "the token's PIN")):
        if not file.is_file():
            raise CommandError(f"expected {meaning} in {file}, found no such file")
    place = Place(module=module.absolute(), token=token, pin_file=pin_file.absolute())
    return Means(passphrase_file=passphrase_file, within=place)


def add_root(parser: ArgumentParser) -> None:
    """The root at hand."""
    parser.add_argument("--root", type=Path, metavar="FOLDER", help="the root, if it is at hand")
    parser.add_argument("--root-passphrase-file", type=Path, metavar="FILE")


def root(options: Options) -> RootAtHand | None:
    """The root that was named, if one was."""
    folder, passphrase_file = path(options, "root"), path(options, "root_passphrase_file")
    if folder is None and passphrase_file is None:
        return None
    if folder is None or passphrase_file is None:
        raise CommandError("expected --root and --root-passphrase-file together")
    if not (folder / URL_FILE).is_file():
        raise CommandError(
            f"expected the root's folder, which its ceremony made, in {folder}, found none there: "
            "bring it, or use its machine (authority ceremony)"
        )
    return RootAtHand(folder=folder, passphrase_file=passphrase_file)


def path(options: Options, name: str) -> Path | None:
    """An option that is a path, or not given."""
    found = options[name]
    return found if isinstance(found, Path) else None


def moment(options: Options, name: str) -> datetime | None:
    """An option that is a time, or not given."""
    found = options[name]
    return found if isinstance(found, datetime) else None


def a_time(text: str) -> datetime:
    """Reads a time with its offset, for argparse."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ArgumentTypeError(
            "expected a time with its offset from UTC, such as 2026-11-20T09:30:00+00:00, "
            f"found {text!a}"
        )
    return found


def a_serial(text: str) -> str:
    """Reads a serial number as openssl and browsers print it, for argparse."""
    digits = text.replace(":", "").lower()
    if not digits or not set(digits) <= set("0123456789abcdef"):
        raise ArgumentTypeError(f"expected a serial number in hexadecimal, found {text!a}")
    return f"{int(digits, 16):x}"


def an_intermediate(text: str) -> Name:
    """Reads an intermediate's name, for argparse."""
    try:
        return Name.parse(text)
    except InvalidDocument as error:
        raise ArgumentTypeError(str(error)) from error


def content(file: Path) -> bytes:
    """What a file holds that was named."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"expected a file at {file}, found none: {error.strerror}") from error
