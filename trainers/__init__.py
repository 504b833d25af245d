# SPDX-License-Identifier: Apache-2.0
"""Trains, samples and publishes where the GPU is; speaks to a registry only over HTTP."""

import os

# torch's threads wait for each other by spinning, which on a machine that does anything else
# burns the very time that the other thread lacks: measured on two busy cores, a step took 5 s,
# with this 1.4 s. libgomp reads it when torch is loaded, so it must be said before that.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
