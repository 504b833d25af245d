# SPDX-License-Identifier: Apache-2.0
"""The content gate: which files a checkpoint may hold, judged by what is in them.

    check(name, path)      what the file is; raises Refused, which says what was expected and found
    header(path)           of a safetensors file that was accepted, alone
    ending(name)           what a name promises

A name with a known ending promises a format, and the content must be that format to the last byte;
under any other name it must be plain text. Whatever a loader could mistake for a program is
refused, under every name. Files are read in a process apart (apart.py).
"""

from .apart import check
from .endings import ending
from .gate import CARD_NAME, FORMATS, Accepted, Format
from .refused import Refused
from .safetensors import header
from .tensors import Tensor, Tensors

__all__ = [
    "CARD_NAME",
    "FORMATS",
    "Accepted",
    "Format",
    "Refused",
    "Tensor",
    "Tensors",
    "check",
    "ending",
    "header",
]
