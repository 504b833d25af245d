# SPDX-License-Identifier: Apache-2.0
"""What an export leaves out, by the ledger's own entries (step 4 of `periods`)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from cryptography import x509

from .. import canonical
from ..canonical import Obj, items, text
from ..entries import EntryKind, kind_of
from ..errors import InvalidDocument
from .examining import Examined


def missing(examined: Examined, entries: Iterable[tuple[int, bytes]]) -> Iterator[int]:
    """Step 4: the entries of the period in the export's name that have no line.

    `entries` are the ledger's, by index, each compared with its leaf hash by whoever read it.
    """
    for index, body in entries:
        is_within = examined.head.first <= index < examined.head.end
        has_line = index in examined.indexes
        if is_within and not has_line and _named_in(body) in examined.head.subjects:
            yield index


def _named_in(body: bytes) -> str | None:
    """Whom the certificate in an entry over a signature names; None of other entries.

    The entry's bytes are the ledger's own, which a tree head vouches for.
    """
    try:
        certificate = _certificate_in(canonical.as_mapping(canonical.loads(body), "entry"), body)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (InvalidDocument, ValueError, x509.ExtensionNotFound):
        return None
    uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    return uris[0] if uris else None


def _certificate_in(entry: Obj, body: bytes) -> x509.Certificate:
    spec = canonical.mapping(entry, "spec")
    match kind_of(body):
        case EntryKind.DSSE:
            (signature,) = items(spec, "signatures", maximum=1)
            stated = canonical.as_mapping(signature, "signatures")
            return x509.load_pem_x509_certificate(base64.b64decode(text(stated, "verifier")))
        case EntryKind.HASHED:
            signed = canonical.mapping(canonical.mapping(spec, "hashedRekordV002"), "signature")
            verifier = canonical.mapping(signed, "verifier")
            inner = canonical.mapping(verifier, "x509Certificate")
            return x509.load_der_x509_certificate(canonical.base64_bytes(inner, "rawBytes"))
