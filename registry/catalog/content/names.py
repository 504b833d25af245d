# SPDX-License-Identifier: Apache-2.0
"""Names of files that are taken: each is a file of its own, wherever the checkpoint is downloaded.

That a name leads out of no folder is the manifest's rule, and everybody's. These are for what is
published from now on: what was signed before verifies as it did.
"""

from __future__ import annotations

import re
import unicodedata

from assay.signing.errors import InvalidDocument
from assay.signing.manifest import Manifest

# Git runs what a `.git/config` names, as soon as somebody asks it anything in the folder; in
# `.cache` the Hub's clients keep what they believe of a download. They send neither (measured).
TOOLS = frozenset({".git", "git~1", ".cache"})
# Windows opens a device in place of a file of such a name, whatever ending it has, ends a name
# before its last dots and spaces, and writes what is behind a colon where nobody sees it
# (Microsoft, "Naming Files, Paths, and Namespaces").
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?")
# What shows nothing, so that `con\u200bfig.json` reads as `config.json` does: the code points of
# Unicode's Default_Ignorable_Code_Point (16.0, DerivedCoreProperties.txt) that are not of the
# category Cf, which is asked besides.
_SHOWS_NOTHING = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)


def check(manifest: Manifest) -> None:
    """Raises InvalidDocument for the first name that is none of a file of its own."""
    known: dict[str, str] = {}
    for file in manifest.files:
        parts = file.name.split("/")
        for part in parts:
            if (reason := _fault(part)) is not None:
                found = f"{file.name!a} ({reason})"
                raise InvalidDocument("files", "names that are files on every system", found)
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            twin = known.setdefault(folder.casefold(), folder)
            if twin != folder:  # where case is folded its files had other names than were signed
                raise InvalidDocument("files", f"no other folder like {twin!a}", ascii(file.name))


def _fault(part: str) -> str | None:
    seen = _seen(part)
    if seen.casefold() in TOOLS:
        return "a folder of git's or of the Hub's clients"
    if seen != part:
        return "a character that shows nothing"
    if ":" in part:
        return "a colon, behind which Windows has a stream of another file"
    if part[-1] in ". ":
        return "a dot or space at the end, which Windows leaves out"
    if _DEVICE.fullmatch(part.casefold()):
        return "a device of Windows'"
    return None


def _seen(part: str) -> str:
    """What people see of it. A joiner between emoji goes too: without it there is another name."""
    shown = (each for each in part if unicodedata.category(each) != "Cf")
    return _SHOWS_NOTHING.sub("", "".join(shown))
