# SPDX-License-Identifier: Apache-2.0
"""A URI names one key of one token, and what is not read in it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.signing.errors import InvalidDocument
from assay.signing.pkcs11uri import MAX_CHARACTERS, TokenUri

GOOD = "pkcs11:token=My%20token;object=caf%C3%A9?module-path=/usr/lib/m.so&pin-source=file:/etc/pin"


def test_labels_and_files_are_read() -> None:
    expected = TokenUri(
        token="My token", object="café", module=Path("/usr/lib/m.so"), pin_file=Path("/etc/pin")
    )
    assert TokenUri.parse(GOOD) == expected
    assert TokenUri.parse(GOOD.replace("file:", "")) == expected
    assert TokenUri.parse(GOOD.replace(";", ";type=private;")) == expected


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("/etc/key.pem", "expected pkcs11:token"),
        ("pkcs11:", "token and object and type"),
        ("pkcs11:token=a;object=b", "module-path and pin-source"),
        (GOOD.replace("token=My%20token;", ""), "key.token: expected one"),
        (GOOD.replace("object=caf%C3%A9", "object="), "key.object: expected one"),
        (GOOD.replace("&pin-source=file:/etc/pin", ""), "key.pin-source: expected one"),
        (GOOD.replace("file:/etc/pin", "pin"), "key.pin-source: expected the absolute path"),
        (GOOD.replace("/usr/lib/m.so", "m.so"), "key.module-path: expected the absolute path"),
        (GOOD.replace("%C3%A9", "%C3"), "key.object: expected percent-encoded"),
        (GOOD.replace(";", ";type=public;"), "key.type: expected private"),
        (GOOD.replace(";", ";token=b;"), "each once, as in"),
        (GOOD.replace(";", ";serial=1;"), "found 'serial'"),
        (GOOD + "&pin-value=1234", "found 'pin-value'"),
        (GOOD + "a" * MAX_CHARACTERS, "expected pkcs11:token"),
    ],
)
def test_what_is_not_read_is_refused(uri: str, says: str) -> None:
    with pytest.raises(InvalidDocument) as refusal:
        TokenUri.parse(uri)
    assert says in str(refusal.value)
    assert "1234" not in str(refusal.value)
