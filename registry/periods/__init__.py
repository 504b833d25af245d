# SPDX-License-Identifier: Apache-2.0
"""Exports of a period: everything that was signed in one name, for who answers for that name."""
