# SPDX-License-Identifier: Apache-2.0
"""Trusted publishing: CI jobs that a project named publish to it, without a stored secret."""
