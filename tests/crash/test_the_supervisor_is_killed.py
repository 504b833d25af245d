# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of `manage.py up` leaves no process behind, and the next start finds its data."""

import signal
import sys

import pytest

from tests.crash.supervised import GONE_SECONDS, descendants, gone, running, start

PROGRAMS = (
    "postgres",
    "valkey",
    "signing.signer",
    "granian",
    " worker ",
    " slow@",
    " beat ",
    " join ",
    " generate ",
)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_nothing_is_left_behind(environment: dict[str, str]) -> None:
    first = start(environment)
    children = descendants(first.pid)
    said = running(children).values()
    assert [each for each in PROGRAMS if not any(each in command for command in said)] == []
    first.kill()
    first.communicate()
    assert gone(children) == {}

    second = start(environment)  # with what the first one left
    children = descendants(second.pid)
    second.send_signal(signal.SIGTERM)
    output, _ = second.communicate(timeout=GONE_SECONDS)
    assert output.endswith("Stopped.\n")
    assert second.returncode == 0
    assert gone(children) == {}
