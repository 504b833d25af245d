# SPDX-License-Identifier: Apache-2.0
"""What OpenAI's clients ask for is honoured, or refused by the parameter's name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from registry.outputs.openai.errors import InvalidParameter
from registry.outputs.openai.parameters import DEFAULT_TOKENS, NEUTRAL, Asked, Delivery, Form
from registry.pool.sampling import MAX_NEW_BYTES, MAX_SEED

COMPLETION: dict[str, Any] = {"model": "lab/tiny", "prompt": "def "}
CHAT: dict[str, Any] = {"model": "lab/tiny", "messages": [{"role": "user", "content": "Hello"}]}
WHOLE = {Form.COMPLETION: COMPLETION, Form.CHAT: CHAT}


def prompt_of(*messages: object) -> str:
    return Asked.parse({**CHAT, "messages": list(messages)}, Form.CHAT).sampling.prompt


@pytest.mark.parametrize("form", Form)
def test_what_is_not_given_has_its_default(form: Form) -> None:
    asked = Asked.parse(WHOLE[form], form)
    assert asked.model == "lab/tiny"
    assert asked.sampling.max_new_bytes == DEFAULT_TOKENS[form]
    assert asked.sampling.temperature == Decimal(1)
    assert 0 <= asked.sampling.seed <= MAX_SEED
    nulls = dict.fromkeys(("max_tokens", "temperature", "seed", "stop", "stream"), None)
    again = Asked.parse({**WHOLE[form], **nulls}, form).sampling
    assert (again.max_new_bytes, again.temperature) == (DEFAULT_TOKENS[form], Decimal(1))


def test_each_request_without_a_seed_has_another() -> None:
    seeds = {Asked.parse(COMPLETION, Form.COMPLETION).sampling.seed for _ in range(8)}
    assert len(seeds) > 1


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (Form.COMPLETION, "max_tokens"),
        (Form.CHAT, "max_tokens"),
        (Form.CHAT, "max_completion_tokens"),
    ],
)
def test_length_temperature_and_seed_are_honoured(form: Form, field: str) -> None:
    given = {field: MAX_NEW_BYTES, "temperature": 0.25, "seed": 7}
    sampling = Asked.parse({**WHOLE[form], **given}, form).sampling
    assert sampling.max_new_bytes == MAX_NEW_BYTES
    assert (sampling.temperature, sampling.seed) == (Decimal("0.25"), 7)


def test_a_prompt_is_a_string_or_the_only_one_of_an_array() -> None:
    assert Asked.parse(COMPLETION, Form.COMPLETION).sampling.prompt == "def "
    alone = Asked.parse({**COMPLETION, "prompt": ["def "]}, Form.COMPLETION)
    assert alone.sampling.prompt == "def "


def test_a_conversation_becomes_paragraphs_that_say_who_speaks() -> None:
    prompt = prompt_of(
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}],
        },
        {"role": "assistant", "content": "Hi.", "refusal": None, "tool_calls": None},
        {"role": "user", "content": "And now?"},
    )
    assert prompt == (
        "System: Be brief.\n\nUser: Hello\n\nAssistant: Hi.\n\nUser: And now?\n\nAssistant:"
    )


@pytest.mark.parametrize(
    ("form", "field", "value"),
    [
        (Form.COMPLETION, "model", None),
        (Form.COMPLETION, "model", ""),
        (Form.COMPLETION, "prompt", None),
        (Form.COMPLETION, "prompt", ""),
        (Form.COMPLETION, "prompt", ["a", "b"]),
        (Form.COMPLETION, "prompt", [1, 2]),
        (Form.COMPLETION, "prompt", "a" * 4097),
        (Form.COMPLETION, "max_tokens", 0),
        (Form.COMPLETION, "max_tokens", MAX_NEW_BYTES + 1),
        (Form.COMPLETION, "max_tokens", True),
        (Form.COMPLETION, "max_completion_tokens", 5),
        (Form.COMPLETION, "temperature", 2.1),
        (Form.COMPLETION, "temperature", -1),
        (Form.COMPLETION, "seed", -1),
        (Form.COMPLETION, "stream", "yes"),
        (Form.COMPLETION, "messages", []),
        (Form.CHAT, "messages", []),
        (Form.CHAT, "messages", None),
        (Form.CHAT, "messages", [{"role": "user", "content": "a" * 4097}]),
        (Form.CHAT, "max_completion_tokens", MAX_NEW_BYTES + 1),
        (Form.CHAT, "prompt", "def "),
        (Form.CHAT, "top_p", 0.5),
        (Form.CHAT, "top_p", True),
        (Form.CHAT, "n", 2),
        (Form.CHAT, "stop", ["\n"]),
        (Form.CHAT, "logprobs", True),
        (Form.CHAT, "tools", [{"type": "function"}]),
        (Form.CHAT, "response_format", {"type": "json_object"}),
        (Form.CHAT, "store", False),
        (Form.CHAT, "top_k", 5),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(form: Form, field: str, value: object) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        Asked.parse({**WHOLE[form], field: value}, form)
    assert refusal.value.errors[0].field == field
    assert str(refusal.value).startswith(f"{field}: expected ")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("echo", True, "expected false, which is all that this registry can honour, found true"),
        ("logprobs", 0, "expected false, which is all that this registry can honour, found 0"),
        ("prompt", None, "neither tokens nor several at once, found null"),
        ("prompt", ["a", "b"], 'neither tokens nor several at once, found ["a", "b"]'),
        ("stream", "yes", 'expected true or false, found "yes"'),
        ("temperature", 0.1 + 0.2, "of at most 12 decimal places, found '0.30000000000000004'"),
    ],
)
def test_what_was_expected_and_found_is_said_in_the_callers_json(
    field: str, value: object, said: str
) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        Asked.parse({**COMPLETION, field: value}, Form.COMPLETION)
    assert str(refusal.value).endswith(said)


def test_the_name_of_an_unknown_parameter_is_shown_in_part() -> None:
    with pytest.raises(InvalidParameter) as refusal:
        Asked.parse({**COMPLETION, "x" * 500: 1}, Form.COMPLETION)
    assert len(str(refusal.value)) < 200


def test_of_two_lengths_only_one_may_be_given() -> None:
    with pytest.raises(InvalidParameter, match="max_tokens: expected max_completion_tokens alone"):
        Asked.parse({**CHAT, "max_tokens": 5, "max_completion_tokens": 5}, Form.CHAT)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Hello", "messages[0].message"),
        ({"content": "Hello"}, "messages[0].role"),
        ({"role": "tool", "content": "Hello"}, "messages[0].role"),
        ({"role": "user"}, "messages[0].content"),
        ({"role": "user", "content": 1}, "messages[0].content"),
        ({"role": "user", "content": ["Hello"]}, "messages[0].content"),
        ({"role": "user", "content": [{"type": "image_url"}]}, "messages[0].content.type"),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
            "messages[0].content.type",
        ),
        ({"role": "user", "content": [{"type": "text"}]}, "messages[0].content.text"),
        ({"role": "user", "content": "Hello", "name": "Bob"}, "messages[0].'name'"),
    ],
)
def test_a_message_that_is_none_is_refused(message: object, field: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        prompt_of(message)
    assert refusal.value.errors[0].field == field


@pytest.mark.parametrize("content", [None, 1, {"type": "text"}])
def test_of_a_content_that_is_none_it_is_said_what_one_is(content: object) -> None:
    with pytest.raises(InvalidParameter, match="expected a string, or at most 1024 parts"):
        prompt_of({"role": "user", "content": content})


@pytest.mark.parametrize("form", Form)
def test_what_asks_for_no_more_than_is_done_is_taken(form: Form) -> None:
    neutral = {name: values[0] for name, values in NEUTRAL.items()}
    harmless = {"user": "bob", "metadata": {"a": "b"}, "service_tier": "auto"}
    assert Asked.parse({**WHOLE[form], **neutral, **harmless}, form).model == "lab/tiny"


@pytest.mark.parametrize(
    ("body", "is_streamed", "includes_usage"),
    [
        ({}, False, False),
        ({"stream": True}, True, False),
        ({"stream": True, "stream_options": {"include_obfuscation": False}}, True, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True, True),
    ],
)
def test_an_answer_is_sent_as_it_was_asked(
    body: dict[str, object], is_streamed: bool, includes_usage: bool
) -> None:
    assert Delivery.parse(body) == Delivery(is_streamed=is_streamed, includes_usage=includes_usage)


@pytest.mark.parametrize(
    "body",
    [
        {"stream_options": {"include_usage": True}},
        {"stream": True, "stream_options": {"include_usage": 1}},
        {"stream": True, "stream_options": {"other": True}},
        {"stream": True, "stream_options": "usage"},
    ],
)
def test_options_of_a_stream_that_are_none_are_refused(body: dict[str, object]) -> None:
    with pytest.raises(InvalidParameter, match="stream_options"):
        Asked.parse({**COMPLETION, **body}, Form.COMPLETION)
