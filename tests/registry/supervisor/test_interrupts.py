# SPDX-License-Identifier: Apache-2.0
"""An interrupt is one, wherever it comes: the first ends everything, more of them nothing."""

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from registry.supervisor import interrupts


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    kept = {each: signal.getsignal(each) for each in interrupts.ENDING}
    hook = sys.unraisablehook
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs these under nohup
    yield
    sys.unraisablehook = hook
    for each, handler in kept.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("number", interrupts.ENDING)
def test_the_first_signal_interrupts_and_more_of_them_do_nothing(number: signal.Signals) -> None:
    interrupts.listen()
    with pytest.raises(KeyboardInterrupt, match=number.name):
        os.kill(os.getpid(), number)
    for each in interrupts.ENDING:
        os.kill(os.getpid(), each)


def test_under_nohup_the_end_of_the_terminal_ends_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupts.listen()
    os.kill(os.getpid(), signal.SIGHUP)
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        os.kill(os.getpid(), signal.SIGTERM)


def test_an_interrupt_while_a_class_is_made_is_one_still() -> None:
    """Python before 3.12 raises a RuntimeError from it."""

    class Interrupting:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), interrupts.interruptible():
        type("Made", (), {"field": Interrupting()})


@pytest.mark.parametrize("number", interrupts.ENDING)
def test_an_interrupt_that_comes_while_an_object_is_finalized_comes_again(
    number: signal.Signals,
) -> None:
    class Finalized:
        def __del__(self) -> None:
            os.kill(os.getpid(), number)

    interrupts.listen()
    Finalized()
    with pytest.raises(KeyboardInterrupt, match=number.name):
        time.sleep(60)


def test_what_else_goes_wrong_in_a_finalizer_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    class Finalized:
        def __del__(self) -> None:
            raise ValueError("by itself")

    interrupts.listen()
    Finalized()
    assert "ValueError: by itself" in capsys.readouterr().err


def test_what_goes_wrong_by_itself_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="disk") as found, interrupts.interruptible():
        raise ValueError("disk") from OSError("full")
    assert isinstance(found.value.__cause__, OSError)


def test_what_goes_wrong_while_an_interrupt_is_answered_is_not_hidden() -> None:
    problem = OSError("cannot stop")
    problem.__context__ = KeyboardInterrupt()
    with pytest.raises(OSError, match="cannot stop"), interrupts.interruptible():
        raise problem
