# SPDX-License-Identifier: Apache-2.0
"""Breaches of conduct: reports, cases, decisions of two, sanctions, and appeals."""
