# SPDX-License-Identifier: Apache-2.0
"""Codes of conduct: their immutable versions, and who has accepted which."""
