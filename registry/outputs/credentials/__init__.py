# SPDX-License-Identifier: Apache-2.0
"""C2PA manifests of media, whoever made these: what they say, and how one gets into a file."""
