# SPDX-License-Identifier: Apache-2.0
"""A C2PA manifest by a certificate of one's own: what it says is the registry's, and checked here.

The registry gives the definition for a new output, and nothing is signed but what follows from its
own assertion about the checkpoint that was asked for. The C2PA library (the extra `c2pa`) writes
the file; it asks this process for signatures, and the timestamp authority for the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical, credentials, media
from ..client import RegistryClient
from ..credentials import Credentials
from ..digests import as_id
from ..errors import BadCredentials, BrokenLink, KeyUnusable
from ..keys import Curve, Signer, curve_of
from ..media import Callback
from ..paths import parse_pem
from ..statements import Origin
from .errors import InputUnreadable

MANIFESTS = "/api/v1/outputs/manifests"
STAMPS = "/timestamp"  # of a registry's own authority (RFC 3161)
MAX_REASON_CHARACTERS = 200
ALGORITHMS = {
    Curve.P256: "ES256",
    Curve.P384: "ES384",
    Curve.P521: "ES512",
    Curve.ED25519: "ED25519",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Who signs manifests, with which certificates (PEM, the leaf first), and who says when."""

    key: Signer
    chain: str
    stamps: str
    """The address of a timestamp authority."""

    @classmethod
    def of(cls, key: Signer, chain: Path, *, stamps: str) -> Maker:
        """Read the certificates; raises KeyUnusable where they are not the key's."""
        try:
            found = parse_pem(chain.name, chain.read_bytes())
        except OSError as error:
            raise InputUnreadable(f"{chain}: {error.strerror or error}") from error
        if found[0].public_key() != key.public_key:
            raise KeyUnusable(
                f"{chain.name}: expected the certificate of the key that signs manifests first, "
                "found another's (--c2pa-key names its key)"
            )
        return cls(key=key, chain=_pem(found), stamps=stamps)

    def embed(
        self, definition: object, media_type: str, *, source: IO[bytes], target: IO[bytes]
    ) -> None:
        """Write the file with the manifest in it; raises BadCredentials, or what the key raises."""
        library = _library()
        algorithm = library.C2paSigningAlg[ALGORITHMS[curve_of(self.key.public_key)]]
        sign = Callback(partial(_sign, self.key))
        try:
            with (
                library.Context.from_dict(dict(media.WRITING)) as context,
                library.Signer.from_callback(sign, algorithm, self.chain, self.stamps) as signer,
                library.Builder(definition, context=context) as builder,
            ):
                builder.sign(signer, media_type, source, target)
        except library.C2paError as error:
            sign.check()
            raise _refused("a file that a manifest can be written into", error) from error

    def check_bare(self, media_type: str, source: IO[bytes]) -> None:
        """Raise BadCredentials for a file that has a manifest: its story would be lost.

        Or of which anything else would be.
        """
        library = _library()
        try:
            has_manifest = media.has_manifest(media_type, source)
        except library.C2paError as error:
            raise _refused("a file without a C2PA manifest", error) from error
        if has_manifest:
            raise BadCredentials(
                "expected a file without a C2PA manifest, found one: what it says of where the "
                "file comes from would be lost"
            )
        if (lost := media.lost(media_type, source)) is not None:
            raise BadCredentials(
                f"expected a file that a manifest takes nothing from, found {lost}, which would be "
                "lost: sign it without --c2pa-chain"
            )


def ask(
    client: RegistryClient, checkpoint: str, media_type: str, *, registry: str
) -> tuple[str, object]:
    """A new output's id, and what its manifest is to say.

    Raises BrokenLink for another checkpoint or claim, InvalidDocument for more than that.
    """
    asked = {"checkpoint": as_id(checkpoint), "media_type": media_type}
    answer = canonical.as_mapping(client.post_json(MANIFESTS, asked), "answer")
    output, definition = canonical.text(answer, "output"), answer.get("definition")
    said = credentials.defined(definition, registry=registry, media_type=media_type)
    _check(said, output, checkpoint)
    return output, definition


def _check(said: Credentials, output: str, checkpoint: str) -> None:
    expected = (output, checkpoint, Origin.CALLER_ASSERTED)
    found = (said.output, said.checkpoint_sha256, said.claim)
    if found != expected:
        raise BrokenLink(
            f"expected a manifest of {output}, {Origin.CALLER_ASSERTED} from {as_id(checkpoint)}, "
            f"found one of {said.output}, {said.claim} from {as_id(said.checkpoint_sha256)}: "
            "nothing was signed"
        )


def _sign(key: Signer, structure: bytes) -> bytes:
    """As COSE has it (RFC 9053, 2.1): of a NIST curve, r and s, each as long as the order."""
    made, public = key.sign(structure), key.public_key
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return made
    size = (public.curve.key_size + 7) // 8
    return b"".join(each.to_bytes(size, "big") for each in decode_dss_signature(made))


def _library() -> ModuleType:
    if not media.is_readable():
        raise BadCredentials(f"expected a program that writes C2PA manifests: {media.INSTALL}")
    return import_module(media.LIBRARY)


def _refused(expected: str, error: Exception) -> BadCredentials:
    said = str(error)[:MAX_REASON_CHARACTERS]
    return BadCredentials(f"expected {expected}, found one of which c2pa says: {said}")


def _pem(chain: tuple[x509.Certificate, ...]) -> str:
    return b"".join(each.public_bytes(Encoding.PEM) for each in chain).decode()
