# SPDX-License-Identifier: Apache-2.0
"""The signer's keys in one file, encrypted under a passphrase of its own (docs/guides/backup.md).

The keys are encrypted already, with the passphrase that the signer is started with. That passphrase
is in the file too, so that whoever has the file and its own passphrase has all that is needed. The
root key's folder is left out: it belongs offline. So are leaves, which are issued anew, and
the mark and the audit file, which an ordinary backup has newer.

    one line of JSON: type, scrypt's parameters and salt, nonce
    AES-256-GCM over the files, with that line as associated data
"""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from assay.signing import canonical, durable
from assay.signing.errors import InvalidDocument
from assay.signing.signer.ceremony import LOCK_FILE
from assay.signing.signer.issuing import PRECERTIFICATES_FOLDER
from assay.signing.signer.opening import LEAVES_FOLDER, OFFLINE_FOLDER, STOPPED_FOLDER

from .errors import KeysNotOpened, KeysNotWrapped, NoAuthorityHere, NotEmpty
from .layout import AUDIT, HEAD, TRUST_ROOT

WRAPPED_V1 = "https://assay/wrapped-keys/v1"
PASSPHRASE = "passphrase"  # noqa: S105 - the name of a file in the wrapped ones, no secret
# RFC 7914, 2: these take 128 MiB and about half a second for each guess.
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 17, 8, 1
KEY_BYTES, SALT_BYTES, NONCE_BYTES = 32, 32, 12
MAX_BYTES = 16 << 20
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
LEFT_OUT = frozenset(
    {LEAVES_FOLDER, PRECERTIFICATES_FOLDER, OFFLINE_FOLDER, LOCK_FILE, HEAD, AUDIT}
)


def wrap(folder: Path, *, signer_passphrase: bytes, passphrase: bytes) -> bytes:
    """The wrapped keys of a signer's folder, after they were opened again: it must not fail later.

    Raises NoAuthorityHere, or KeysNotWrapped.
    """
    if not (folder / TRUST_ROOT).is_file():
        raise NoAuthorityHere(
            f"expected the signer's folder {folder}, found none; wrap the keys on the machine that "
            "has them"
        )
    files = {PASSPHRASE: signer_passphrase, **dict(_files(folder))}
    wrapped = seal(files, passphrase=passphrase)
    _check_opens(wrapped, files, passphrase)
    return wrapped


def seal(files: Mapping[str, bytes], *, passphrase: bytes) -> bytes:
    """Files by name, encrypted."""
    plain = canonical.dumps({name: b64encode(data).decode() for name, data in files.items()})
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    header = canonical.dumps(
        {
            "type": WRAPPED_V1,
            "scrypt": {"n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P},
            "salt": salt.hex(),
            "nonce": nonce.hex(),
        }
    )
    return header + b"\n" + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, header)


def unwrap(data: bytes, *, passphrase: bytes) -> Mapping[str, bytes]:
    """The files by name, the signer's passphrase as `passphrase`; raises KeysNotOpened."""
    try:
        header, _, sealed = data.partition(b"\n")
        document = canonical.as_mapping(canonical.loads(header), "header")
        canonical.literal(document, "type", WRAPPED_V1)
        salt = bytes.fromhex(canonical.text(document, "salt"))
        nonce = bytes.fromhex(canonical.text(document, "nonce"))
        plain = AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed, header)
        files = canonical.as_mapping(canonical.loads(plain, max_bytes=MAX_BYTES), "files")
        return {name: _content(files, name) for name in files}
    except (InvalidDocument, InvalidTag, ValueError) as error:
        raise KeysNotOpened(
            "expected keys that were wrapped by `manage.py keys wrap`, unchanged, and their "
            "passphrase; one of the two is another. Try the passphrase again, then an older copy"
        ) from error


def put(files: Mapping[str, bytes], *, folder: Path, passphrase_file: Path) -> None:
    """Write the files of an unwrapping; raises NotEmpty where other keys are. OSError.

    What is there already with the same bytes is left: an unwrapping that was killed is repeated.
    """
    targets = {
        passphrase_file if name == PASSPHRASE else folder / name: data
        for name, data in files.items()
    }
    for path, data in targets.items():
        is_stop = path.parent.name == STOPPED_FOLDER  # which `restore` marks too, in its own words
        if path.exists() and not is_stop and path.read_bytes() != data:
            raise NotEmpty(
                f"{path} is there, with other content: keys are never replaced. Name an empty "
                "ASSAY_DATA_DIR, or move the folder away"
            )
    for path, data in targets.items():
        _make_folder(path.parent)
        durable.write_file(path, data)


def _check_opens(wrapped: bytes, files: Mapping[str, bytes], passphrase: bytes) -> None:
    try:
        opened = unwrap(wrapped, passphrase=passphrase)
    except KeysNotOpened:
        opened = {}
    if opened != files:
        odd = [ascii(name) for name in files if not _NAME.fullmatch(name)]
        raise KeysNotWrapped(
            "expected wrapped keys that open again as they are, found others; nothing was written. "
            f"Move away what is not the signer's: {', '.join(odd) or 'more than its keys'}"
        )


def _make_folder(folder: Path) -> None:
    """Make it and those above it, each its owner's alone."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        durable.make_folder(folder)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_unfinished = any(part.startswith(".") for part in name.parts)  # of a crash, or a request
        if name.parts[0] not in LEFT_OUT and not is_unfinished and path.is_file():
            yield name.as_posix(), path.read_bytes()


def _content(files: Mapping[str, object], name: str) -> bytes:
    """A file's bytes; raises InvalidDocument for a name that leads out of the folder, too."""
    if not _NAME.fullmatch(name):
        raise InvalidDocument("files", "names below the signer's folder", ascii(name))
    if files[name] == "":
        return b""  # such as the mark of a stop, which had no words in it once
    return canonical.base64_decode(canonical.text(files, name, max_characters=MAX_BYTES))


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(
        passphrase
    )
