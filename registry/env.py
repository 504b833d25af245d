# SPDX-License-Identifier: Apache-2.0
"""Every environment variable the registry reads: its name, its default and how it is parsed.

Nothing else in registry/ reads the environment; docs/settings.md describes each variable.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

CHECKOUT = Path(__file__).resolve().parent.parent
VARIABLES = (
    "DATABASE_URL",
    "BROKER_URL",
    "ASSAY_DATA_DIR",
    "ASSAY_PUBLIC_URL",
    "ASSAY_LEDGER_ORIGIN",
    "ASSAY_LEDGER_POLICY",
    "ASSAY_SIGNER_SOCKET",
    "ASSAY_SECRET_KEY_FILE",
    "ASSAY_ALLOWED_HOSTS",
    "ASSAY_DEBUG",
    "ASSAY_LOG_LEVEL",
    "ASSAY_DATABASE_POOL",
    "ASSAY_BEHIND_PROXY",
    "ASSAY_BLOBS_LOCATION",
    "ASSAY_OIDC_PROVIDERS",
    "ASSAY_DSSE_ENTRY_KIND",
    "ASSAY_DISK_RESERVE",
    "ASSAY_CONVERTER",
    "ASSAY_BUCKET",
    "ASSAY_SECOND_COPY",
    "ASSAY_STORAGE_QUOTA",
    "ASSAY_GENERATION_QUOTA",
    "ASSAY_WATERMARK_KEY_FILE",
    "ASSAY_TRUSTMARK",
    "ASSAY_BATCH_QUOTA",
    "ASSAY_WEBHOOKS_TO_LOOPBACK",
    "ASSAY_DATACITE_URL",
    "ASSAY_DATACITE_ACCOUNT",
    "ASSAY_DATACITE_PASSWORD_FILE",
    "ASSAY_DOI_PREFIX",
    "ASSAY_RETENTION_DAYS",
    "ASSAY_RETENTION_SOURCE",
)
MIN_SECRET_CHARACTERS = 32
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})
# With a unit or without, it stays below 2^63, the most that a row can say.
LOCATION = re.compile(r"(/[a-z0-9-]+)+/")  # of an address that a proxy keeps for itself
SIZE = re.compile(r"([0-9]{1,18})|([0-9]{1,6})([KMGT])")
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
WHOLE_PERCENT = 100
MAX_NUMBER = (1 << 63) - 1  # the most that a row can say
SHOWN_CHARACTERS = 80  # of a value that is refused
# What a Django connection calls the parts of a libpq URL's query string.
CONNECTION_PARTS = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}


def whole(text: str, *, most: int) -> int | None:
    """A whole number in decimal digits, from zero to `most`; None for any other text.

    Python refuses to read thousands of digits, of which leading zeros may be.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(most)) or int(digits) > most:
        return None
    return int(digits)


def size_of(text: str) -> int | None:
    """A number of bytes; K, M, G and T are powers of 1024. None for what says none."""
    match = SIZE.fullmatch(text)
    if match is None:
        return None
    return int(match[1]) if match[1] else int(match[2]) * UNITS[match[3]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Part of a disk: so many hundredths of it, and so many bytes; one of the two is zero."""

    percent: int = 0
    size_bytes: int = 0

    def of(self, total_bytes: int) -> int:
        """How many bytes of a disk of that size."""
        return self.size_bytes + total_bytes * self.percent // WHOLE_PERCENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The variables, parsed on demand; a test gives its own mapping."""

    values: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def text(self, name: str, default: str) -> str:
        """The variable as it stands; empty counts as absent."""
        if name not in VARIABLES:
            raise ImproperlyConfigured(
                f"{name} is not one of the variables that registry/env.py lists"
            )
        return self.values.get(name, "") or default

    def flag(self, name: str, *, default: bool) -> bool:
        """A yes or a no."""
        value = self.text(name, "yes" if default else "no").lower()
        if value in TRUE:
            return True
        if value in FALSE:
            return False
        raise ImproperlyConfigured(
            f"{name} must be one of {sorted(TRUE | FALSE)}, but is {value!r}"
        )

    def choice(self, name: str, *allowed: str) -> str:
        """One of these; the first without the variable."""
        value = self.text(name, allowed[0])
        if value not in allowed:
            raise ImproperlyConfigured(
                f"{name} must be one of {', '.join(allowed)}, but is {value!r}"
            )
        return value

    def names(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A comma-separated list."""
        parts = (part.strip() for part in self.text(name, ",".join(default)).split(","))
        return tuple(part for part in parts if part)

    def number(self, name: str, default: int, *, most: int = MAX_NUMBER) -> int:
        """A whole number, zero or more, and at most so much."""
        value = self.text(name, str(default))
        if (found := whole(value, most=most)) is None:
            raise ImproperlyConfigured(
                f"{name} must be a whole number from 0 to {most}, "
                f"but is {value[:SHOWN_CHARACTERS]!r}"
            )
        return found

    def size(self, name: str, default: str) -> int:
        """A number of bytes, as `size_of` reads it."""
        value = self.text(name, default)
        if (found := size_of(value)) is None:
            raise ImproperlyConfigured(
                f"{name} must be a number of bytes like 500M or 2G, "
                f"but is {value[:SHOWN_CHARACTERS]!r}"
            )
        return found

    def portion(self, name: str, default: str) -> Portion:
        """A share of a disk like 5%, or a size."""
        value = self.text(name, default)
        if not value.endswith("%"):
            return Portion(size_bytes=self.size(name, default))
        percent = whole(value.removesuffix("%"), most=WHOLE_PERCENT)
        if percent is None:
            raise ImproperlyConfigured(
                f"{name} must be a whole share like 5%, or a size like 2G, "
                f"but is {value[:SHOWN_CHARACTERS]!r}"
            )
        return Portion(percent=percent)

    def path(self, name: str, default: Path) -> Path:
        """An absolute path; a relative one starts at the checkout."""
        return CHECKOUT / self.text(name, str(default))

    def url(self, name: str, default: str) -> str:
        """An http(s) URL with a host and without a trailing slash, query or fragment."""
        value = self.text(name, default).rstrip("/")
        parts = _split(name, value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ImproperlyConfigured(
                f"{name} must be like https://registry.example, but is {value!r}"
            )
        if parts.query or parts.fragment or parts.path or "@" in parts.netloc:
            raise ImproperlyConfigured(
                f"{name} must be a scheme and a host (and port) only, but is {value!r}"
            )
        return value

    def location(self, name: str) -> str:
        """A place that only a proxy reads from; empty without the variable."""
        value = self.text(name, "")
        if value and not LOCATION.fullmatch(value):
            raise ImproperlyConfigured(f"{name} must be like /stored-blobs/, but is {value!r}")
        return value

    def secret(self, name: str) -> str:
        """The first line of the file the variable names; without it, one for this process only."""
        file = self.text(name, "")
        if not file:
            # Enough for a command or a test; `check --deploy` refuses it (registry/checks.py).
            return secrets.token_urlsafe(50)
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name} names {file}, which cannot be read: {error.strerror}"
            ) from error
        if not lines or len(lines[0]) < MIN_SECRET_CHARACTERS:
            raise ImproperlyConfigured(
                f"{name} names {file}: expected {MIN_SECRET_CHARACTERS} characters or more"
            )
        return lines[0]

    def database(self, name: str, default: str) -> dict[str, str | dict[str, object]]:
        """A libpq URL (postgresql://user:password@host:port/name?host=/socket) for Django."""
        parts = _split(name, self.text(name, default))
        if parts.scheme not in {"postgresql", "postgres"}:
            raise ImproperlyConfigured(
                f"{name} must be like postgresql://user@host:5432/name, "
                f"but its scheme is {parts.scheme!r}"
            )
        database, options = _database_of(parts)
        return {"ENGINE": "django.db.backends.postgresql", **database, "OPTIONS": options}


def _split(name: str, value: str) -> SplitResult:
    """The parts of a URL whose port, if it has one, is a port.

    What it says is not repeated: where an @ is missing, that is a password.
    """
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must be a URL whose port is a number up to 65535, but it is none"
        ) from error
    return parts


def _database_of(parts: SplitResult) -> tuple[dict[str, str], dict[str, object]]:
    database = {
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
    }
    options: dict[str, object] = {}
    for key, value in parse_qsl(parts.query):
        if key in CONNECTION_PARTS:
            database[CONNECTION_PARTS[key]] = value
        else:
            options[key] = value
    return database, options
