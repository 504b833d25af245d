# SPDX-License-Identifier: Apache-2.0
"""Answers as OpenAI's clients read them, each with the output and its evidence as `assay`.

A token is a byte: that is what the models here write, and what their lengths are counted in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.signing.digests import as_id
from registry.catalog.queries import Checkpoint

from .. import queries
from ..queries import Output
from .parameters import Form

PREFIXES: Mapping[Form, str] = {Form.COMPLETION: "cmpl", Form.CHAT: "chatcmpl"}
CHUNKS: Mapping[Form, str] = {
    Form.COMPLETION: "text_completion",
    Form.CHAT: "chat.completion.chunk",
}
MODEL = "model"
PIECE_CHARACTERS = 16
MAX_CHARACTER_BYTES = 4  # a text that ends at its length may end within a character, left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One output as an answer of one form."""

    of: Output
    form: Form

    def whole(self) -> dict[str, object]:
        """The document of a request that is not streamed."""
        said: dict[str, object] = (
            {"text": self.of.text}
            if self.form is Form.COMPLETION
            else {"message": {"role": "assistant", "content": self.of.text, "refusal": None}}
        )
        choice = {"index": 0, **said, "logprobs": None, "finish_reason": self._finish_reason()}
        return {
            **self._head(self.form.value),
            "choices": [choice],
            "usage": self.usage(),
            **self._evidence(),
        }

    def begun(self) -> dict[str, object]:
        """The first chunk, from before there is any text."""
        return self._chunk("", is_first=True)

    def pieces(self) -> Iterator[dict[str, object]]:
        """The text, once it is signed, in chunks."""
        text = self.of.text
        for start in range(0, len(text), PIECE_CHARACTERS):
            yield self._chunk(text[start : start + PIECE_CHARACTERS])

    def ended(self) -> dict[str, object]:
        """The last chunk with a choice: why the text ends here, and all that proves it."""
        chunk = self._chunk("", finish_reason=self._finish_reason())
        return {**chunk, **self._evidence()}

    def counted(self) -> dict[str, object]:
        """The chunk for those who asked what it took."""
        return {**self._head(CHUNKS[self.form]), "choices": [], "usage": self.usage()}

    def usage(self) -> dict[str, int]:
        """Of prompt and text, in bytes."""
        prompt = len(str(self._sampling["prompt"]).encode())
        written = len(self.of.text.encode())
        return {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
        }

    @property
    def _sampling(self) -> Mapping[str, object]:
        return self.of.sampling or {}

    def _head(self, kind: str) -> dict[str, object]:
        checkpoint = self.of.checkpoint
        return {
            "id": f"{PREFIXES[self.form]}-{self.of.pk}",
            "object": kind,
            "created": int(self.of.created_at.timestamp()),
            "model": checkpoint.full_name,
            "system_fingerprint": as_id(checkpoint.manifest_sha256),
        }

    def _evidence(self) -> dict[str, object]:
        return {"assay": queries.answer(self.of)}

    def _chunk(
        self, text: str, *, is_first: bool = False, finish_reason: str | None = None
    ) -> dict[str, object]:
        said: dict[str, object]
        if self.form is Form.COMPLETION:
            said = {"text": text}
        elif is_first:
            said = {"delta": {"role": "assistant", "content": text}}
        else:
            said = {"delta": {"content": text} if text else {}}
        choice = {"index": 0, **said, "logprobs": None, "finish_reason": finish_reason}
        return {**self._head(CHUNKS[self.form]), "choices": [choice]}

    def _finish_reason(self) -> str:
        """`length` for a text that is as long as it could be; `stop` for one that ended before."""
        most = int(str(self._sampling["max_new_bytes"]))
        is_full = len(self.of.text.encode()) > most - MAX_CHARACTER_BYTES
        return "length" if is_full else "stop"


def model(name: str, of: Checkpoint) -> dict[str, object]:
    """A model by the name that it is asked for, and the checkpoint which that is now."""
    at = of.published_at or of.received_at
    return {
        "id": name,
        "object": MODEL,
        "created": int(at.timestamp()),
        "owned_by": of.project.owner.name,
        "checkpoint": as_id(of.manifest_sha256),
        "checkpoint_name": of.name,
    }
