# SPDX-License-Identifier: Apache-2.0
"""The C2PA library at work: a manifest in a file, or beside it from its digest alone.

The one module that imports it to write. Private keys are the signer's and the timestamps come from
it: the library asks back for both, and fetches nothing. What c2pa-python has no words for
yet is asked of the C functions that it ships (pinned, and held to by tests of this package).
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from c2pa import Builder, C2paError, C2paSigningAlg, Context, Signer
from c2pa.c2pa import (
    C2paBuilder,
    C2paSigner,
    C2paStream,
    _check_ffi_operation_result,
    _lib,
)

from assay.signing import media
from assay.signing.media import WRITING, Callback
from assay.signing.mediatypes import Kind

from .countersigning import timestamped
from .errors import HasCredentials, MediaUnusable
from .stamping import answering

Answer = Callable[[bytes], bytes]
SIDECAR = b"application/c2pa"
MAX_REASON_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who signs a claim, and who says when."""

    chain: str
    """The certificates (PEM), the leaf first."""
    sign: Answer
    """Sig_structure to signature, both as COSE has them."""
    stamp: Answer
    """TimeStampReq to TimeStampResp (DER)."""


def _function(name: str, *arguments: type[object]) -> Callable[..., int]:
    """One that writes where its last argument points, and answers how many bytes."""
    found = _lib[name]  # a function object of our own, so that c2pa-python's stay as they are
    found.argtypes = (*arguments, ctypes.POINTER(ctypes.c_void_p))
    found.restype = ctypes.c_int64
    function: Callable[..., int] = found
    return function


_placeholder = _function(
    "c2pa_builder_data_hashed_placeholder",
    ctypes.POINTER(C2paBuilder),
    ctypes.c_size_t,
    ctypes.c_char_p,
)
_sign_hashed = _function(
    "c2pa_builder_sign_data_hashed_embeddable",
    ctypes.POINTER(C2paBuilder),
    ctypes.POINTER(C2paSigner),
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.POINTER(C2paStream),
)


def check_bare(kind: Kind, source: IO[bytes]) -> None:
    """Raise HasCredentials for a file that has a manifest, or says where one of its own is.

    MediaUnusable for one that is none, or of which anything else would be lost.
    """
    try:
        has_manifest = media.has_manifest(kind.value, source)
    except C2paError as error:
        raise _unusable(error) from error
    if has_manifest:
        raise HasCredentials(
            "expected a file without a C2PA manifest, found one: what made it is no checkpoint "
            "alone, and the story that its manifest tells would be lost"
        )
    if (lost := media.lost(kind, source)) is not None:
        raise MediaUnusable(
            f"expected a file that a manifest takes nothing from, found {lost}, which would be "
            "lost: /api/v1/outputs/sidecar makes one for beside it"
        )


def embed(
    definition: Mapping[str, object],
    kind: Kind,
    *,
    source: IO[bytes],
    target: IO[bytes],
    by: Office,
) -> None:
    """Write the file with its manifest; raises MediaUnusable, and whatever the office raises."""
    with at_work(definition, by) as (builder, signer):
        builder.sign(signer, kind.value, source, target)


def sidecar(definition: Mapping[str, object], *, sha256: str, by: Office) -> bytes:
    """A manifest of a file (JUMBF) from nothing but its digest; raises as `embed`."""
    with working(definition, by) as (builder, signer):
        store = beside(builder, signer, sha256=sha256)
    return timestamped(store, by.stamp)


def beside(builder: Builder, signer: Signer, *, sha256: str) -> bytes:
    """The manifest as these make it, with room for a timestamp if they are told of no address."""
    hashed = {
        "exclusions": [],
        "name": "jumbf manifest",
        "alg": "sha256",
        "hash": list(bytes.fromhex(sha256)),
        "pad": [],
    }
    handle, made = _handle(builder), ctypes.c_void_p()
    size = signer.reserve_size()
    _taken(_placeholder(handle, size, SIDECAR, ctypes.byref(made)), made)
    text, signed = json.dumps(hashed).encode(), ctypes.c_void_p()
    found = _sign_hashed(handle, _handle(signer), text, SIDECAR, None, ctypes.byref(signed))
    return _taken(found, signed)


@contextmanager
def at_work(definition: Mapping[str, object], by: Office) -> Iterator[tuple[Builder, Signer]]:
    """A builder and a signer; what the office raised comes out as it was, not as the library's."""
    stamp = Callback(by.stamp)
    try:
        with answering(stamp) as url, working(definition, by, timestamps=url) as both:
            yield both
    except MediaUnusable:
        stamp.check()
        raise


@contextmanager
def working(
    definition: Mapping[str, object], by: Office, *, timestamps: str | None = None
) -> Iterator[tuple[Builder, Signer]]:
    """The same, with timestamps by an address, or none."""
    sign = Callback(by.sign)
    try:
        with (
            Context.from_dict(dict(WRITING)) as context,
            Signer.from_callback(sign, C2paSigningAlg.ES256, by.chain, timestamps) as signer,
            Builder(dict(definition), context=context) as builder,
        ):
            yield builder, signer
    except C2paError as error:
        sign.check()
        raise _unusable(error) from error


def _handle(of: Builder | Signer) -> object:
    """What the C functions know it by."""
    return of._handle  # noqa: SLF001 - c2pa-python has no function that takes a digest for a file


def _unusable(error: C2paError) -> MediaUnusable:
    reason = str(error)[:MAX_REASON_CHARACTERS]
    return MediaUnusable(
        f"expected a whole file of its type, found one of which c2pa says: {reason}"
    )


def _taken(size: int, made: ctypes.c_void_p) -> bytes:
    """What the library allocated, copied and freed."""
    _check_ffi_operation_result(size, "no manifest was made", check=lambda found: found < 0)
    try:
        return ctypes.string_at(made, size)
    finally:
        _lib.c2pa_free(made)
