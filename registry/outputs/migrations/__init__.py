# SPDX-License-Identifier: Apache-2.0
"""The migrations of outputs, one per change."""
