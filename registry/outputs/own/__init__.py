# SPDX-License-Identifier: Apache-2.0
"""Outputs that a key of the caller's own signs, which the registry never has."""
