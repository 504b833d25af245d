# SPDX-License-Identifier: Apache-2.0
"""Which key of which PKCS#11 token a URI names (RFC 7512), as far as a key that signs needs it.

`pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=FILE`. An attribute that is not read
here is refused, as somebody may rely on it; a PIN in the URI too, as others can read command lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from .errors import InvalidDocument

SCHEME = "pkcs11:"
MAX_CHARACTERS = 4096
_FORM = "token=…;object=…?module-path=/…&pin-source=/…"
_PATH, _QUERY = ("token", "object", "type"), ("module-path", "pin-source")
_FILE = "file:"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUri:
    """A private key: its label, its token's, the token's module, and the file with the PIN."""

    token: str
    object: str
    module: Path
    pin_file: Path

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URI; raises InvalidDocument, which repeats no value of it."""
        if not text.startswith(SCHEME) or len(text) > MAX_CHARACTERS:
            raise InvalidDocument("key", f"{SCHEME}{_FORM}", "another form")
        path, _, query = text.removeprefix(SCHEME).partition("?")
        found = _attributes(path.split(";"), _PATH) | _attributes(query.split("&"), _QUERY)
        if found.get("type", "private") != "private":
            raise InvalidDocument("key.type", "private, or nothing", "another")
        return cls(
            token=_of(found, "token"),
            object=_of(found, "object"),
            module=_file(found, "module-path"),
            pin_file=_file(found, "pin-source"),
        )


def _attributes(parts: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals or name not in known or name in found:
            shown = ascii(name[:40])
            expected = f"{' and '.join(known)}, each once, as in {SCHEME}{_FORM}"
            raise InvalidDocument("key", expected, shown)
        try:
            found[name] = unquote(value, errors="strict")
        except UnicodeDecodeError as error:
            raise InvalidDocument(f"key.{name}", "percent-encoded UTF-8", "other bytes") from error
    return found


def _of(found: Mapping[str, str], name: str) -> str:
    if not found.get(name):
        raise InvalidDocument(f"key.{name}", f"one, as in {SCHEME}{_FORM}", "none")
    return found[name]


def _file(found: Mapping[str, str], name: str) -> Path:
    """A file of this machine, by its whole path: a relative one would depend on who calls."""
    path = Path(_of(found, name).removeprefix(_FILE))
    if not path.is_absolute():
        raise InvalidDocument(f"key.{name}", "the absolute path of a file", "another")
    return path
