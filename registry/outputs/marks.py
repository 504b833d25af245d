# SPDX-License-Identifier: Apache-2.0
"""The watermark keys of this registry: which marks of its generation program it believes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from assay.signing.errors import InvalidDocument
from assay.signing.statements import Mark
from assay.signing.watermark import WatermarkKey, parse_keys

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


def key_of(mark: Mark) -> WatermarkKey | None:
    """The key that made a mark; None where this registry has it no more."""
    return next((each for each in keys() if each.id == mark.key), None)


def check(mark: Mark | None, *schemes: str) -> None:
    """Raises UnusableText for a mark that nobody here could find again."""
    if mark is None:
        return
    known = [key.id for key in keys()]
    if mark.scheme not in schemes or mark.key not in known:
        raise UnusableText(
            f"expected a mark {' or '.join(schemes)} by one of this registry's keys "
            f"({', '.join(known) or 'none'}), found {mark.scheme!a} by {mark.key!a}; give the "
            "generation program what ASSAY_WATERMARK_KEY_FILE, and for pictures ASSAY_TRUSTMARK, "
            "name here"
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
