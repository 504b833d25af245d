# SPDX-License-Identifier: Apache-2.0
"""The storage app's commands."""
