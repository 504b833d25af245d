# SPDX-License-Identifier: Apache-2.0
"""The watermark keys of this registry: which marks of its generation program it believes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from assay.signing.errors import InvalidDocument
from assay.signing.statements import Mark
from assay.signing.watermark import SCHEME, WatermarkKey, parse_keys

from .errors import UnusableText


def keys() -> tuple[WatermarkKey, ...]:
    """Those in ASSAY_WATERMARK_KEY_FILE, read once; none without a file."""
    return _read_once(settings.WATERMARK_KEY_FILE) if settings.WATERMARK_KEY_FILE else ()


def read(file: str) -> tuple[WatermarkKey, ...]:
    """The keys in a file; raises ImproperlyConfigured, which shows nothing of it."""
    try:
        return parse_keys(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, InvalidDocument) as error:
        message = f"ASSAY_WATERMARK_KEY_FILE names {file}, which cannot be used: {_reason(error)}"
        raise ImproperlyConfigured(message) from None


def check(mark: Mark | None, scheme: str = SCHEME) -> None:
    """Raises UnusableText for a mark that nobody here could find again."""
    if mark is None:
        return
    known = [key.id for key in keys()]
    if mark.scheme != scheme or mark.key not in known:
        raise UnusableText(
            f"expected a mark {scheme} by one of this registry's keys ({', '.join(known) or 'none'}"
            f"), found {mark.scheme!a} by {mark.key!a}; give the generation program the "
            "file that ASSAY_WATERMARK_KEY_FILE names here, or no key"
        )


_read_once = lru_cache(maxsize=1)(read)


def _reason(error: OSError | UnicodeDecodeError | InvalidDocument) -> str:
    """In words; a decoding error's own would repeat what is in the file."""
    match error:
        case OSError():
            return str(error.strerror)
        case UnicodeDecodeError():
            return "expected UTF-8"
        case InvalidDocument():
            return str(error)
