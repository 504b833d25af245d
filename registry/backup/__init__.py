# SPDX-License-Identifier: Apache-2.0
"""Backups of a registry, and the way back: nothing is served again before it is all verified."""
