# SPDX-License-Identifier: Apache-2.0
"""Batches and media: strangers are turned away before a byte of theirs is read."""

from __future__ import annotations

import asyncio

import pytest
from django.conf import settings
from django.test import Client

from registry.api.bodies import CAPS, cap_of
from registry.api.wire import Receive, Scope, Send, send_body, send_head
from registry.outputs.admitting import LARGE, Admitting
from tests.registry.callers import Heard, call
from tests.registry.people import People, secret_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.parametrize("path", LARGE)]


async def reads(_scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    await send_head(send, 200, {})
    await send_body(send, message["body"])


async def post(path: str, **headers: str) -> Heard:
    return await call(Admitting(inner=reads), "POST", path, headers=headers, pieces=[b"bytes"])


async def test_strangers_are_told_before_anything_is_read(path: str) -> None:
    assert cap_of(path) == max(cap for _, cap in CAPS)
    for headers, code in (
        ({}, "authentication-required"),
        ({"Authorization": "Bearer assay_no"}, "token-malformed"),
        ({"Cookie": f"{settings.SESSION_COOKIE_NAME}=nobodys"}, "authentication-required"),
    ):
        heard = await post(path, **headers)
        assert (heard.status, heard.problem["code"]) == (401, code)


def test_who_may_have_outputs_signed_goes_on(path: str, people: People) -> None:
    ours, other = (secret_of(people.alice, scope) for scope in ("outputs", "read"))
    heard = asyncio.run(post(path, Authorization=f"Bearer {ours}"))
    assert (heard.status, heard.body) == (200, b"bytes")
    assert (
        asyncio.run(post(path, Authorization=f"Bearer {other}")).problem["code"] == "scope-missing"
    )


def test_a_session_goes_on(path: str, people: People) -> None:
    browser = Client()
    browser.force_login(people.alice)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    assert asyncio.run(post(path, Cookie=cookie)).status == 200
