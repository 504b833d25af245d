# SPDX-License-Identifier: Apache-2.0
"""The rows of the catalogue; Django finds them here."""

from .accesses import Access
from .checkpoints import OID_CHARACTERS, SHA256_HEX, Checkpoint, File, State
from .datasets import Dataset, DatasetFile
from .evaluated import Evaluation
from .found import Carrier, Descent, Inspection, Listing, Tally, Tensor, TensorDigests
from .projects import MAX_NAME, NAME_PATTERN, Gate, Project, Visibility
from .proposed import Pull, Remark
from .registered import Doi
from .revisions import MAIN, MAX_REF_NAME, MAX_TITLE, REF_PATTERN, REFS_PATTERN, Kind, Ref, Revision
from .told import Happening

__all__ = [
    "MAIN",
    "MAX_NAME",
    "MAX_REF_NAME",
    "MAX_TITLE",
    "NAME_PATTERN",
    "OID_CHARACTERS",
    "REFS_PATTERN",
    "REF_PATTERN",
    "SHA256_HEX",
    "Access",
    "Carrier",
    "Checkpoint",
    "Dataset",
    "DatasetFile",
    "Descent",
    "Doi",
    "Evaluation",
    "File",
    "Gate",
    "Happening",
    "Inspection",
    "Kind",
    "Listing",
    "Project",
    "Pull",
    "Ref",
    "Remark",
    "Revision",
    "State",
    "Tally",
    "Tensor",
    "TensorDigests",
    "Visibility",
]
