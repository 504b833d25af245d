# SPDX-License-Identifier: Apache-2.0
"""Asking again: for as long as it can help, and not where it cannot."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from assay.signing.client import ClientError, RegistryUnreachable
from assay.trainers.patience import Patience, is_passing

AWAY = RegistryUnreachable("the registry cannot be reached")
HASTY = Patience(first_wait_seconds=0.001, limit_seconds=5.0)


def failing(times: int, error: ClientError) -> Callable[[], str]:
    """Fails some times, then answers."""
    failures = iter([error] * times)

    def ask() -> str:
        for failure in failures:
            raise failure
        return "answer"

    return ask


def test_an_answer_after_some_failures_is_the_answer() -> None:
    assert HASTY.until_answered(failing(5, AWAY)) == "answer"


def test_a_refusal_is_raised_at_once() -> None:
    refusal = ClientError("no", status=403)
    with pytest.raises(ClientError) as raised:
        HASTY.until_answered(failing(1, refusal))
    assert raised.value is refusal


def test_at_the_limit_the_last_failure_is_raised() -> None:
    with pytest.raises(RegistryUnreachable):
        replace(HASTY, limit_seconds=0.05).until_answered(failing(1000, AWAY))


def test_being_stopped_ends_the_wait() -> None:
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(RegistryUnreachable):
        Patience(stopped=stopped, first_wait_seconds=60.0).until_answered(failing(1, AWAY))


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (AWAY, True),
        (ClientError("x", status=500), True),
        (ClientError("x", status=503), True),
        (ClientError("x", status=429), True),
        (ClientError("x", status=409, problem="idempotency-in-progress"), True),
        (ClientError("x", status=409, problem="lease-lost"), False),
        (ClientError("x", status=404), False),
        (ClientError("x", status=422), False),
        (ClientError("expected JSON"), False),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(error: ClientError, passes: bool) -> None:
    assert is_passing(error) is passes
