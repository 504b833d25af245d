# SPDX-License-Identifier: Apache-2.0
"""Signed texts for OpenAI's clients, told an address and a token (docs/spec/openai.md)."""
