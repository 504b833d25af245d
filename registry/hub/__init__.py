# SPDX-License-Identifier: Apache-2.0
"""The Hugging Face Hub's protocol for models: its stock clients, unmodified (docs/spec/hub.md)."""
