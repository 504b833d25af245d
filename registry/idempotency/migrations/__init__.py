# SPDX-License-Identifier: Apache-2.0
"""The migrations of idempotency, one per change."""
