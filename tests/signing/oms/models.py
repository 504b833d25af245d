# SPDX-License-Identifier: Apache-2.0
"""A small model on the disk, and statements and bundles that no good signer makes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509

from assay.signing import canonical
from assay.signing.digests import sha256
from assay.signing.envelope import pae
from assay.signing.keys import SoftwareKey
from assay.signing.oms.document import Document

FILES: Mapping[str, bytes] = {"config.json": b"{}\n", "sub/b.bin": b"b", "sub-a.bin": b"a"}
Change = Callable[[dict[str, Any]], None]


def write_model(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def resource(name: str, data: bytes = b"", kind: str = "sha256") -> dict[str, Any]:
    digest = hashlib.new(kind, data).hexdigest()
    return {"name": name, "digest": digest, "algorithm": kind}


def statement(*resources: dict[str, Any], **serialization: object) -> dict[str, Any]:
    """A statement over these resources, its root right; a test changes one thing."""
    listed = list(resources)
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": root_of(listed)}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": listed,
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                **serialization,
            },
        },
    }


def root_of(resources: list[dict[str, Any]]) -> str:
    return sha256(b"".join(bytes.fromhex(each["digest"]) for each in resources))


def statement_of(files: Mapping[str, bytes], **serialization: object) -> dict[str, Any]:
    """A good statement over some files."""
    return statement(*(resource(name, files[name]) for name in sorted(files)), **serialization)


def sign(value: object, key: SoftwareKey, *, chain: tuple[x509.Certificate, ...] = ()) -> Document:
    """Sign any statement, which a real signer would never do."""
    payload = canonical.dumps(value)
    return Document(payload=payload, signature=key.sign(pae(payload)), chain=chain, hint="any")
