# SPDX-License-Identifier: Apache-2.0
"""What OpenAI's clients may ask for. A parameter is honoured, or it is refused by its name.

Never passed over are those that would make another text; some, which make none, are.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from assay.signing import canonical
from assay.signing.canonical import Obj
from assay.signing.errors import InvalidDocument
from registry.api.problems import FieldProblem
from registry.pool.sampling import MAX_SEED, Sampling

from ..asking import as_text
from .errors import InvalidParameter
from .messages import prompt_of

MAX_NAME_CHARACTERS = 400
MAX_SHOWN_CHARACTERS = 80
DEFAULT_TEMPERATURE = 1


class Form(StrEnum):
    """What is asked for, by what OpenAI calls the answer."""

    COMPLETION = "text_completion"
    CHAT = "chat.completion"


# A model of bytes writes one for each token. Of a completion OpenAI's own default; of a chat there
# is none ("as long as it likes"), which would be 1,024 bytes and some seconds of somebody's core.
DEFAULT_TOKENS: Mapping[Form, int] = {Form.COMPLETION: 16, Form.CHAT: 256}
LENGTHS: Mapping[Form, tuple[str, ...]] = {
    Form.COMPLETION: ("max_tokens",),
    Form.CHAT: ("max_completion_tokens", "max_tokens"),
}
PROMPTS: Mapping[Form, str] = {Form.COMPLETION: "prompt", Form.CHAT: "messages"}
HONOURED = frozenset({"model", "temperature", "seed", "stream", "stream_options"})
# They say something of the caller or of the bill, and nothing of the text.
WITHOUT_EFFECT = frozenset(
    {"user", "safety_identifier", "metadata", "prompt_cache_key", "service_tier"}
)
# What asks for no more than is done anyway; any other value would change the text, or the answer.
NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "best_of": (1,),
    "echo": (False,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "stop": ([],),
    "store": (True,),
    "suffix": ("",),
    "tool_choice": ("none",),
    "tools": ([],),
    "top_p": (1,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How the answer is sent."""

    is_streamed: bool
    includes_usage: bool

    @classmethod
    def parse(cls, body: Obj) -> Self:
        """Read it; raises InvalidParameter."""
        with by_name():
            is_streamed = _flag(body, "stream")
            options = body.get("stream_options")
            if options is None:
                return cls(is_streamed=is_streamed, includes_usage=False)
            if not is_streamed:
                raise InvalidDocument("stream_options", "`stream` with it", "none")
            stated = canonical.as_mapping(options, "stream_options")
            with canonical.within("stream_options"):
                # Obfuscation hides from eavesdroppers how long tokens are; none of ours are sent.
                canonical.only(stated, "include_usage", "include_obfuscation")
                return cls(is_streamed=True, includes_usage=_flag(stated, "include_usage"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The text that a request asks for."""

    model: str
    sampling: Sampling

    @classmethod
    def parse(cls, body: Obj, form: Form) -> Self:
        """Read it whole; raises InvalidParameter."""
        Delivery.parse(body)
        with by_name():
            known = HONOURED | WITHOUT_EFFECT | {PROMPTS[form], *LENGTHS[form]}
            check_names(body, known, NEUTRAL)
            return cls(
                model=canonical.text(body, "model", max_characters=MAX_NAME_CHARACTERS),
                sampling=_sampling(body, form),
            )


@contextmanager
def by_name() -> Iterator[None]:
    """What is wrong with a parameter, as InvalidParameter, which names it."""
    try:
        yield
    except InvalidDocument as error:
        found = FieldProblem(
            field=error.field, message=f"expected {error.expected}, found {error.found}"
        )
        raise InvalidParameter(str(error), errors=(found,)) from error


def check_names(
    body: Obj, known: frozenset[str], neutral: Mapping[str, tuple[object, ...]]
) -> None:
    """Raises InvalidDocument for what is neither known, nor asks for what is done anyway."""
    for name, value in body.items():
        if value is None or name in known:
            continue
        if name not in neutral:
            expected = "a parameter that this registry can honour"
            raise InvalidDocument(name[:MAX_SHOWN_CHARACTERS], expected, "this one")
        if not any(_is_same(value, each) for each in neutral[name]):
            expected = " or ".join(map(_shown, neutral[name]))
            expected += ", which is all that this registry can honour"
            raise InvalidDocument(name, expected, _shown(value))


def _shown(value: object) -> str:
    """As the caller wrote it, which was JSON; not more than a line of it."""
    return json.dumps(value)[:MAX_SHOWN_CHARACTERS]


def _is_same(value: object, other: object) -> bool:
    """As JSON has it: there `true` is no number."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _sampling(body: Obj, form: Form) -> Sampling:
    prompt = prompt_of(body) if form is Form.CHAT else _prompt(body)
    length_field = _length_field(body, form)
    stated = {
        "prompt": prompt,
        "max_new_bytes": or_default(body.get(length_field), DEFAULT_TOKENS[form]),
        "temperature": as_text(or_default(body.get("temperature"), DEFAULT_TEMPERATURE)),
        "seed": or_default(body.get("seed"), secrets.randbelow(MAX_SEED + 1)),
    }
    theirs = {"prompt": PROMPTS[form], "max_new_bytes": length_field}
    try:
        return Sampling.parse(stated)
    except InvalidDocument as error:
        field = theirs.get(error.field, error.field)
        raise InvalidDocument(field, error.expected, error.found) from error


def _prompt(body: Obj) -> str:
    """A string; or one in an array, as there is one answer to each."""
    match body.get("prompt"):
        case [str(alone)] | str(alone):
            return alone
        case found:
            expected = "a string, or an array of one: neither tokens nor several at once"
            raise InvalidDocument("prompt", expected, _shown(found))


def _length_field(body: Obj, form: Form) -> str:
    """The newer name, if both are known and only one is given."""
    given = [name for name in LENGTHS[form] if body.get(name) is not None]
    if len(given) > 1:
        raise InvalidDocument(given[1], f"{given[0]} alone", "both")
    return given[0] if given else LENGTHS[form][0]


def or_default(given: object, default: object) -> object:
    """As the clients have it, null is not given."""
    return default if given is None else given


def _flag(body: Obj, name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidDocument(name, "true or false", _shown(value))
    return bool(value)
