# SPDX-License-Identifier: Apache-2.0
"""The supervisor: starts, watches and stops every process of a registry on one machine.

It stands above the rest of the registry. Nothing imports it but `manage.py` and the tests.
"""
