# SPDX-License-Identifier: Apache-2.0
"""Texts from checkpoints, and callers' own content: asked for, signed, shown with evidence."""
