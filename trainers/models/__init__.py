# SPDX-License-Identifier: Apache-2.0
"""The model families that a recipe may name, one module each, never changed once published."""
