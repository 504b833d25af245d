# SPDX-License-Identifier: Apache-2.0
"""The pixels' half of TrustMark, a watermark by trained networks (docs/spec/watermark.md).

The networks are Adobe's, and come from a folder of the operator's: `Writer` needs the encoder,
`Reader` the decoder. What is done around them is what TrustMark's own programs do with a picture
that is at most twice as long as it is wide, so that each reads the other's marks.

Shape suffixes: B pictures, H rows, W columns, C channels, N bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay.signing import trustmark
from assay.signing.digests import as_id, sha256
from assay.signing.watermark import WatermarkKey

from ..errors import UnusableNetworks
from .files import Pixels
from .marking import Found

if TYPE_CHECKING:
    import onnxruntime

SIDE_PIXELS = 256
"""What the networks see, whatever a picture's size is."""
TELLING = (1, 29)  # the first release of onnxruntime with telemetry on Linux
WIDEST = 2.0  # times as long as it is wide: of what is longer, the middle square is read
Levels = NDArray[np.float32]


class Writer:
    """Puts TrustMark's mark into pictures."""

    def __init__(self, folder: Path) -> None:
        self._encoder = _network(folder, trustmark.ENCODER)

    def mark(self, pixels: Pixels, key: WatermarkKey, number: int) -> Pixels:
        """The picture (HWC) with the number that a key vouches for, in three channels."""
        height, width, _ = pixels.shape
        whole = _coloured(pixels)
        cover_BCHW = _shown(whole)
        bits_BN = np.array([trustmark.packet(trustmark.payload(key, number))], dtype=np.float32)
        marked_BCHW = np.clip(_run(self._encoder, cover_BCHW, bits_BN), -1, 1)
        added_CHW = (marked_BCHW - cover_BCHW)[0]
        added_CHW -= added_CHW.mean(axis=(1, 2), keepdims=True)  # no colour of its own
        added_HWC = np.stack([_resized(each, height, width) for each in added_CHW], axis=2)
        levels = np.asarray(whole, dtype=np.float32) + added_HWC * 127.5
        marked: Pixels = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        return marked


class Reader:
    """Finds TrustMark's mark in pictures, where it is by one of our keys."""

    def __init__(self, folder: Path) -> None:
        self._decoder = _network(folder, trustmark.DECODER)

    def find(self, pixels: Pixels, keys: Sequence[WatermarkKey]) -> Found | None:
        """None where there is nothing that any of the keys vouches for."""
        seen_BN = _run(self._decoder, _shown(_middle(_coloured(pixels))))
        payload = trustmark.unpacked([int(level > 0) for level in seen_BN[0]])
        found = None if payload is None else trustmark.recognised(payload, keys)
        if found is None:
            return None
        key, number = found
        return Found(
            scheme=trustmark.ALGORITHM,
            key=key.id,
            chance=trustmark.chance(len(keys)),
            scale=None,
            number=number,
        )


def _network(folder: Path, name: str) -> onnxruntime.InferenceSession:
    """One of Adobe's networks and no other: it is read by a program in C++, before anything else.

    On one thread, as whoever shuts themselves in has one. Raises UnusableNetworks.
    """
    expected = trustmark.SHA256[name]
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise UnusableNetworks(
            f"{folder / name}: expected the network {as_id(expected)}, found: {error.strerror}"
        ) from error
    if sha256(data) != expected:
        raise UnusableNetworks(
            f"{folder / name}: expected {as_id(expected)}, found {as_id(sha256(data))}"
        )
    _check_runtime()
    import onnxruntime  # noqa: PLC0415 - an extra: who uses no TrustMark need not have it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _check_runtime() -> None:
    """One that tells nobody what it is given; asked before it is loaded, when it would begin to."""
    try:
        found = metadata.version("onnxruntime")
    except metadata.PackageNotFoundError:
        found = "none"
    if found == "none" or tuple(map(int, found.split(".")[:2])) >= TELLING:
        before = ".".join(map(str, TELLING))
        raise UnusableNetworks(
            f"expected onnxruntime before {before}, which tells Microsoft what is loaded, found "
            f"{found}: pip install 'assay[trustmark]'"
        )


def _run(network: onnxruntime.InferenceSession, *given: Levels) -> Levels:
    """Its first output; inputs are told apart by their order. Raises UnusableNetworks."""
    names = [each.name for each in network.get_inputs()]
    try:
        first, *_ = network.run(None, dict(zip(names, given, strict=True)))
    except Exception as error:  # its own have nothing else in common
        raise UnusableNetworks(f"expected a picture from onnxruntime, found: {error}") from error
    return np.asarray(first, dtype=np.float32)


def _coloured(pixels: Pixels) -> Image.Image:
    flat: Any = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    return Image.fromarray(flat).convert("RGB")


def _shown(picture: Image.Image) -> Levels:
    """As the networks see it (BCHW), from -1 to 1."""
    small = picture.resize((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.BILINEAR)
    levels_HWC = np.asarray(small, dtype=np.float32) / 127.5 - 1
    return np.ascontiguousarray(levels_HWC.transpose(2, 0, 1)[None])


def _middle(picture: Image.Image) -> Image.Image:
    """All of it; of a long one the square in the middle, where its mark would be."""
    short, long = sorted(picture.size)
    if long <= WIDEST * short:
        return picture
    left, top = ((side - short) // 2 for side in picture.size)
    return picture.crop((left, top, left + short, top + short))


def _resized(levels_HW: Levels, height: int, width: int) -> Levels:
    picture = Image.fromarray(levels_HW).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture, dtype=np.float32)
