# SPDX-License-Identifier: Apache-2.0
"""Idempotency keys: a write that is sent twice happens once and is answered twice."""
