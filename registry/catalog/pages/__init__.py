# SPDX-License-Identifier: Apache-2.0
"""The catalogue for people; its pages work without scripts."""
