# SPDX-License-Identifier: Apache-2.0
"""Checkpoints as OCI artifacts of the ModelPack kind, to be read (docs/spec/oci.md)."""
