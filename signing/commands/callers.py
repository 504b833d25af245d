# SPDX-License-Identifier: Apache-2.0
"""Who the caller is to a registry: the token in ASSAY_TOKEN, or else the one that login kept.

A token goes to the one registry that it is for, and never in plain text over a network.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ..client import is_private
from .errors import AddressNotPrivate, InputUnreadable, NotLoggedIn, NoToken
from .logins import Logins

VARIABLE = "ASSAY_TOKEN"
STDIN = Path("-")
# docs/spec/http.md; what has another form is another service's secret, and not for a registry.
_TOKEN = re.compile(r"assay_[0-9A-Za-z]{38}")


def secret_for(url: str, environment: Mapping[str, str] | None = None) -> str | None:
    """The token for the registry at an address, if there is one.

    Raises NoToken for what is none, AddressNotPrivate where others could read it on its way.
    """
    variables = os.environ if environment is None else environment
    if given := variables.get(VARIABLE):
        secret = token_in(given, source=VARIABLE)
    elif (kept := Logins.of_user(environment).find(url)) is not None:
        secret = token_in(kept.secret, source="the kept login")
    else:
        return None
    check_private(url)
    return secret


def secret_demanded(url: str) -> str:
    """The same where nothing can be done without; raises NotLoggedIn."""
    secret = secret_for(url)
    if secret is None:
        raise NotLoggedIn(
            f"expected a token for {url}, found none kept and none in {VARIABLE}. "
            f"To log in: assay login {url}"
        )
    return secret


def read_secret(file: Path, *, max_bytes: int) -> str:
    """What a file holds, or standard input for `-`; raises InputUnreadable."""
    try:
        if file == STDIN:
            data = sys.stdin.buffer.read(max_bytes)
        else:
            with file.open("rb") as opened:
                data = opened.read(max_bytes)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputUnreadable(f"{file}: {reason}") from error
    return data.decode("ascii", errors="replace")


def token_in(text: str, *, source: str) -> str:
    """The token in some text; of what is none, no message says more than its length."""
    found = text.strip()
    if not _TOKEN.fullmatch(found):
        what = f"{len(found)} other characters" if found else "nothing"
        raise NoToken(f"{source}: expected `assay_` and 38 letters and digits, found {what}")
    return found


def check_private(url: str) -> None:
    """Refuse an address on whose way others read along."""
    if not is_private(url):
        raise AddressNotPrivate(
            f"expected https, or a registry on this machine, found {url}: a token would be sent "
            "for everybody on the way to read"
        )
