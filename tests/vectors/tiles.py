# SPDX-License-Identifier: Apache-2.0
"""The vectors of tiles: what C2SP tlog-tiles says in numbers, typed in, and small worked bytes."""

from __future__ import annotations

from assay.signing import merkle, tiles

ENTRIES = tiles.ENTRIES

PATHS = (  # level, index, width, path
    (0, 0, 256, "tile/0/000"),
    (0, 5, 1, "tile/0/005.p/1"),
    (0, 255, 255, "tile/0/255.p/255"),
    (1, 1000, 256, "tile/1/x001/000"),
    (0, 1_234_067, 256, "tile/0/x001/x234/067"),
    (3, 1_234_067, 8, "tile/3/x001/x234/067.p/8"),
    (63, 0, 1, "tile/63/000.p/1"),
    (ENTRIES, 0, 1, "tile/entries/000.p/1"),
    (ENTRIES, 999_999, 256, "tile/entries/x999/999"),
)
REFUSED_PATHS = (
    "",
    "tile/0/0",
    "tile/0/0000",
    "tile/00/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/x000/000",
    "tile/0/001/000",
    "tile/0/x001",
    "tile/0/000.p/0",
    "tile/0/000.p/01",
    "tile/0/000.p/256",
    "tile/0/000.p/",
    "tile/0/000/",
    "/tile/0/000",
    "tile/entries/000\n",
    "tile/data/000",
    "tile/0/../../secret",
    "tile/0/\u0660\u0661\u0662",
)
TREES: tuple[dict[str, object], ...] = (
    {"from": 0, "size": 0, "tiles": 0, "partial": []},
    {"from": 0, "size": 1, "tiles": 2, "partial": ["tile/entries/000.p/1", "tile/0/000.p/1"]},
    {"from": 0, "size": 256, "tiles": 3, "partial": ["tile/1/000.p/1"]},
    {
        "from": 256,
        "size": 257,
        "tiles": 2,
        "partial": ["tile/entries/001.p/1", "tile/0/001.p/1"],
    },
    {"from": 255, "size": 256, "tiles": 3, "partial": ["tile/1/000.p/1"]},
    {  # the specification's own example: 273 + 1, 1 + 1 and 1, and as many bundles as tiles of 0
        "from": 0,
        "size": 70_000,
        "tiles": 2 * (273 + 1) + 2 + 1,
        "partial": [
            "tile/entries/273.p/112",
            "tile/0/273.p/112",
            "tile/1/001.p/17",
            "tile/2/000.p/1",
        ],
    },
)


def tile_vectors() -> dict[str, object]:
    """Everything in tiles.json."""
    entries = [b"", b"a", b"assay"]
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    root = merkle.node_hash(merkle.node_hash(leaves[0], leaves[1]), leaves[2])
    return {
        "paths": [
            {"level": level, "index": index, "width": width, "path": path}
            for level, index, width, path in PATHS
        ],
        "refused_paths": list(REFUSED_PATHS),
        "trees": list(TREES),
        "worked": {
            "entries": [entry.hex() for entry in entries],
            "bundle": "0000" + "000161" + "00056173736179",
            "tile": "".join(leaf.hex() for leaf in leaves),
            "root": root.hex(),
        },
    }
