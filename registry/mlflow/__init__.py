# SPDX-License-Identifier: Apache-2.0
"""The catalogue as MLflow's clients read a registry of models (docs/spec/mlflow.md)."""
