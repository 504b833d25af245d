# SPDX-License-Identifier: Apache-2.0
"""The sections and fields of the Model Documentation Form, in its order and by its names."""

from __future__ import annotations

from collections.abc import Sequence

SECTIONS: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    (
        "General information",
        (
            ("legal-name", "Legal name for the model provider"),
            ("model-name", "Model name"),
            ("model-authenticity", "Model authenticity"),
            ("release-date", "Release date"),
            ("union-release-date", "Union market release date"),
            ("model-dependencies", "Model dependencies"),
        ),
    ),
    (
        "Model properties",
        (
            ("model-architecture", "Model architecture"),
            ("model-design", "Design specifications of the model"),
            ("input-modalities", "Input modalities"),
            ("output-modalities", "Output modalities"),
            ("total-model-size", "Total model size"),
        ),
    ),
    (
        "Methods of distribution and licenses",
        (("distribution-channels", "Distribution channels"), ("license", "License")),
    ),
    (
        "Use",
        (
            ("acceptable-use-policy", "Acceptable use policy"),
            ("intended-uses", "Intended uses, or uses that are restricted or prohibited"),
            ("ai-systems", "Type and nature of AI systems in which the model can be integrated"),
            ("technical-means", "Technical means for model integration"),
            ("required-hardware", "Required hardware"),
            ("required-software", "Required software"),
        ),
    ),
    (
        "Training process",
        (
            ("training-design", "Design specifications of the training process"),
            ("decision-rationale", "Decision rationale"),
        ),
    ),
    (
        "Information on the data used for training, testing, and validation",
        (
            ("data-modality", "Data type/modality"),
            ("data-provenance", "Data provenance"),
            ("data-selection", "How data was obtained and selected"),
            ("data-points", "Number of data points"),
            ("data-scope", "Scope and main characteristics"),
            ("data-curation", "Data curation methodologies"),
            ("unsuitable-data", "Measures to detect unsuitability of data sources"),
            ("data-biases", "Measures to detect identifiable biases"),
        ),
    ),
    (
        "Computational resources (during training)",
        (
            ("training-time", "Training time"),
            ("training-computation", "Amount of computation used for training"),
            ("computation-methodology", "Measurement methodology"),
        ),
    ),
    (
        "Energy consumption (during training and inference)",
        (
            ("training-energy", "Amount of energy used for training"),
            ("energy-methodology", "Measurement methodology"),
            (
                "inference-computation",
                "Benchmarked amount of computation used for inference",
            ),
            (
                "inference-methodology",
                "Measurement methodology of benchmarked amount of computation used for inference",
            ),
        ),
    ),
)
