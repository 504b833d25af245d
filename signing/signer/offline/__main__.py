# SPDX-License-Identifier: Apache-2.0
"""`python -m assay.signing.signer.offline`: the root's own machine, which has no network.

`new` makes the root; `sign` answers requests; `renew` and `revoke` make its next list; `tuf` signs
a root of TUF's. What is to be carried back is written to the folder of `--out`; no secret is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from ...durable import make_folder, write_file
from ...errors import AssayError, InvalidDocument
from ...intermediates import Name
from ...revocation import Reason, Revocation
from ...trust import check_url
from ..errors import SignerFilesBroken
from ..keyring import Keyring, Place, read_passphrase
from ..opening import ROOT_CRL_FILE, ROOT_FILE, certificate
from . import ROOT_KEY_FILE, certify, create, distributing, load, load_url, renew_list

REQUESTS = "*.csr"


def main(argv: Sequence[str] | None = None) -> int:
    """Do one thing; 0, or the exit code of what kept it from being done."""
    arguments = parser().parse_args(argv)
    try:
        _ACTIONS[arguments.action](arguments)
    except AssayError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return SignerFilesBroken.exit_code
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    words = argparse.ArgumentParser(
        prog="python -m assay.signing.signer.offline",
        description="A registry's root, on a machine without a network (docs/guides/operator.md).",
    )
    actions = words.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = _action(actions.add_parser("new", help="make the root's key, certificate and list"))
    new.add_argument(
        "--registry", required=True, metavar="URL", help="for ever; as it is published"
    )
    for option, metavar, what in (
        ("--module", "FILE", "the library of a PKCS#11 module, to make the key in a token"),
        ("--token", "LABEL", "that token"),
        ("--pin-file", "FILE", "its PIN, in a file of mode 0600"),
    ):
        new.add_argument(option, metavar=metavar, help=what)
    sign = _action(actions.add_parser("sign", help="answer the requests of a folder (*.csr)"))
    sign.add_argument("--requests", type=Path, required=True, metavar="FOLDER")
    tuf = _action(actions.add_parser("tuf", help="sign the root of TUF's that is asked for"))
    tuf.add_argument("--requests", type=Path, required=True, metavar="FOLDER")
    renew = _action(actions.add_parser("renew", help="make the root's next list, for a quarter"))
    revoke = _action(actions.add_parser("revoke", help="the same, and list an intermediate"))
    revoke.add_argument("certificate", type=Path, help="the intermediate's certificate (PEM)")
    revoke.add_argument("--reason", required=True, choices=[each.value for each in Reason])
    revoke.add_argument("--invalid-from", type=_time, metavar="TIME", help="with its UTC offset")
    for each in (sign, tuf, renew, revoke):
        each.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="carry it back")
    return words


def _action(words: argparse.ArgumentParser) -> argparse.ArgumentParser:
    words.add_argument("--folder", type=Path, required=True, help="where the root is")
    words.add_argument("--passphrase-file", type=Path, required=True, help="a file of mode 0600")
    return words


def _new(arguments: argparse.Namespace) -> None:
    given = (arguments.module, arguments.token, arguments.pin_file)
    if any(given) and not all(given):
        raise SignerFilesBroken("expected --module, --token and --pin-file together")
    module, token, pin_file = given
    within = Place(module=Path(module), token=token, pin_file=Path(pin_file)) if token else None
    registry = arguments.registry.rstrip("/")
    check_url("--registry", registry)
    keyring = Keyring(read_passphrase(arguments.passphrase_file))
    if not arguments.folder.exists():
        make_folder(arguments.folder)
    create(arguments.folder, registry=registry, keyring=keyring, at=_now(), within=within)
    sys.stdout.write(f"made the root of {registry}\n")


def _sign(arguments: argparse.Namespace) -> None:
    root = load(arguments.folder, keyring=_keyring(arguments))
    requests = sorted(arguments.requests.glob(REQUESTS))
    if not requests:
        raise SignerFilesBroken(
            f"expected requests ({REQUESTS}) in {arguments.requests}, found none"
        )
    made = [certify(root, _read(path), at=_now()) for path in requests]
    for found in made:
        _write(arguments, f"{Name.of(found)}.pem", found.public_bytes(Encoding.PEM))
        sys.stdout.write(f"certified {Name.of(found)}, serial number {found.serial_number:x}\n")
    _write(arguments, ROOT_FILE, root.certificate.public_bytes(Encoding.PEM))
    _write(arguments, ROOT_CRL_FILE, (arguments.folder / ROOT_CRL_FILE).read_bytes())


def _tuf(arguments: argparse.Namespace) -> None:
    """Its key is the root's neighbour: in the same folder, and in the same token if that is one."""
    keyring, path = _keyring(arguments), arguments.requests / distributing.REQUEST_FILE
    registry = load_url(arguments.folder)
    request = distributing.Request.parse(path.read_bytes())
    if request.registry != registry:
        raise SignerFilesBroken(
            f"expected a request of {registry}, found one of {request.registry}: nothing was signed"
        )
    within = keyring.place(arguments.folder / ROOT_KEY_FILE)
    at = _now()
    signed = distributing.sign(request, arguments.folder, keyring=keyring, at=at, within=within)
    _write(arguments, f"{request.version}.root.json", signed)
    until = at + timedelta(days=distributing.ROOT_DAYS)
    online = distributing.id_of(request.online_key)
    sys.stdout.write(
        f"signed version {request.version} of TUF's root, good until {until:%Y-%m-%d}\n"
        f"it lets the key {online[:16]} distribute the trusted root\n"
    )


def _renew(arguments: argparse.Namespace) -> None:
    _list(arguments, ())


def _revoke(arguments: argparse.Namespace) -> None:
    root = load(arguments.folder, keyring=_keyring(arguments))
    found = certificate(arguments.certificate)
    try:  # before anything is listed: a revocation is for ever
        found.verify_directly_issued_by(root.certificate)
        name = Name.of(found)
    except (ValueError, TypeError, InvalidSignature, InvalidDocument) as error:
        raise SignerFilesBroken(
            f"expected an intermediate of this root in {arguments.certificate}, found another "
            "certificate: nothing was revoked"
        ) from error
    revocation = Revocation(
        serial=found.serial_number,
        revoked_at=_now(),
        reason=Reason(arguments.reason),
        invalid_from=arguments.invalid_from,
    )
    _list(arguments, (revocation,))
    sys.stdout.write(f"revoked {name}, serial number {found.serial_number:x}\n")


def _list(arguments: argparse.Namespace, revoking: Sequence[Revocation]) -> None:
    root = load(arguments.folder, keyring=_keyring(arguments))
    der = renew_list(arguments.folder, root, revoking=revoking, at=_now())
    _write(arguments, ROOT_CRL_FILE, der)
    sys.stdout.write(f"wrote {arguments.out / ROOT_CRL_FILE}\n")


def _keyring(arguments: argparse.Namespace) -> Keyring:
    return Keyring(read_passphrase(arguments.passphrase_file))


def _read(path: Path) -> bytes:
    try:
        return x509.load_pem_x509_csr(path.read_bytes()).public_bytes(Encoding.DER)
    except ValueError as error:
        raise SignerFilesBroken(f"{path.name} is not a PKCS#10 request in PEM") from error


def _write(arguments: argparse.Namespace, name: str, content: bytes) -> None:
    if not arguments.out.exists():
        make_folder(arguments.out)
    write_file(arguments.out / name, content)


def _time(text: str) -> datetime:
    """Reads a time with its offset, for argparse."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        expected = "a time with its offset from UTC, such as 2026-11-20T09:30:00+00:00"
        raise argparse.ArgumentTypeError(f"expected {expected}, found {text!a}")
    return found


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


_ACTIONS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "new": _new,
    "sign": _sign,
    "tuf": _tuf,
    "renew": _renew,
    "revoke": _revoke,
}

if __name__ == "__main__":
    sys.exit(main())
