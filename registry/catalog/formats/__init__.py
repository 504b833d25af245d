# SPDX-License-Identifier: Apache-2.0
"""The content gate: which files a checkpoint may hold, judged by what is in them.

    check(name, path)      raises Refused, which says what was expected and what was found

A name decides which format is expected, and the content must be that format to the last byte. What
is not on the list is refused, and so is anything that a loader could mistake for a program.
"""

from .gate import CARD_NAME, FORMATS, check
from .refused import Refused

__all__ = ["CARD_NAME", "FORMATS", "Refused", "check"]
