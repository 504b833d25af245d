# SPDX-License-Identifier: Apache-2.0
"""Signs TUF's root where the authority's root is: it names the key that distributes the trust root.

The registry asks (`Request`), this machine answers with `N.root.json`; both are carried on a medium
and hold no secret. The format is TUF 1.0's (docs/guides/operator.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from ... import canonical
from ...errors import InvalidDocument
from ...keys import Curve, PublicKey
from ...trust import check_url
from ..errors import SignerFilesBroken
from ..keyring import Keyring, Place

REQUEST_FILE = "tuf-root.request.json"
KEY_FILE = "tuf-root.key.pem"
LABEL = "tuf-root"
TYPE = "https://assay/tuf-root-request/v1"
SPEC_VERSION = "1.0.31"
ROOT_DAYS = 3 * 365
MAX_VERSION = 10_000
ROOT_ROLE, ONLINE_ROLES = "root", ("snapshot", "targets", "timestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a registry asks to be signed: which version, naming which key of its signer's."""

    registry: str
    version: int
    online_key: ec.EllipticCurvePublicKey

    def dumps(self) -> bytes:
        """As it is carried."""
        return canonical.dumps(
            {
                "online_key": _pem(self.online_key),
                "registry": self.registry,
                "type": TYPE,
                "version": self.version,
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read one; raises InvalidDocument, naming the field that is wrong."""
        obj = canonical.as_mapping(canonical.loads_canonical(data), "request")
        canonical.literal(obj, "type", TYPE)
        canonical.only(obj, "online_key", "registry", "type", "version")
        registry = canonical.text(obj, "registry")
        check_url("registry", registry)
        return cls(
            registry=registry,
            version=canonical.integer(obj, "version", minimum=1, maximum=MAX_VERSION),
            online_key=_public_key(canonical.text(obj, "online_key")),
        )


def sign(
    request: Request,
    folder: Path,
    *,
    keyring: Keyring,
    at: datetime,
    within: Place | None = None,
) -> bytes:
    """The root that is asked for, as TUF publishes it; its key is made for the first version.

    Raises SignerFilesBroken where the key that signed the version before is not in the folder.
    """
    path = folder / KEY_FILE
    try:
        if request.version == 1:
            key = keyring.make(path, label=LABEL, curve=Curve.P256, within=within)
        else:
            key = keyring.load(path)
    except OSError as error:
        raise SignerFilesBroken(
            f"expected the key of the root before in {path}, found {error.strerror}: whoever "
            "follows that root takes the next one from no other key"
        ) from error
    offline, online = _key(key.public_key), _key(request.online_key)
    root = {
        "_type": ROOT_ROLE,
        "consistent_snapshot": True,
        "expires": canonical.instant_text(at + timedelta(days=ROOT_DAYS)),
        "keys": {key_id(offline): offline, key_id(online): online},
        "roles": {
            ROOT_ROLE: _role(key_id(offline)),
            **{role: _role(key_id(online)) for role in ONLINE_ROLES},
        },
        "spec_version": SPEC_VERSION,
        "version": request.version,
    }
    signature = {"keyid": key_id(offline), "sig": key.sign(_olpc(root)).hex()}
    return canonical.dumps({"signatures": [signature], "signed": root})


def key_id(key: Mapping[str, object]) -> str:
    """By which metadata name a key."""
    return sha256(_olpc(key)).hexdigest()


def id_of(key: PublicKey) -> str:
    """The same, of a key at hand."""
    return key_id(_key(key))


def _key(key: PublicKey) -> Mapping[str, object]:
    return {
        "keytype": "ecdsa",
        "keyval": {"public": _pem(key)},
        "scheme": "ecdsa-sha2-nistp256",
    }


def _role(keyid: str) -> Mapping[str, object]:
    return {"keyids": [keyid], "threshold": 1}


def _olpc(value: Mapping[str, object]) -> bytes:
    """What TUF signs: OLPC's canonical JSON. It is RFC 8785's, but that it escapes no line breaks.

    Nothing here but keys in PEM has any, and no value has a backslash of its own.
    """
    return canonical.dumps(value).replace(rb"\n", b"\n")


def _pem(key: PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _public_key(pem: str) -> ec.EllipticCurvePublicKey:
    try:
        found = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise InvalidDocument("online_key", "a public key in PEM", ascii(pem[:40])) from error
    if not isinstance(found, ec.EllipticCurvePublicKey) or found.curve.name != "secp256r1":
        raise InvalidDocument("online_key", "a key on P-256", type(found).__name__)
    return found
