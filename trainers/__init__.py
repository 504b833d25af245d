# SPDX-License-Identifier: Apache-2.0
"""Trains, samples and publishes where the GPU is; speaks to a registry only over HTTP."""

import os

# torch's threads wait for each other by spinning, which on a machine that does anything else burns
# the very time that the other thread lacks. Measured on two busy cores, 30 steps, in turns: with
# 1,000 turns of spinning 16 s and 7 s of CPU (medians), with 200 turns 6 s and 5 s; left alone, a
# single step took 6 s. libgomp reads it when torch is loaded, so it is said before that.
os.environ.setdefault("GOMP_SPINCOUNT", "200")
