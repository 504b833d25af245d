# SPDX-License-Identifier: Apache-2.0
"""The server: a Django project with one app per noun (DESIGN's table says who may import whom)."""
