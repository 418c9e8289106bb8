"""A sensitivity model as bytes, and back: plain arrays and a manifest with digests, never a pickle.

Layout: magic, length of the manifest (8 bytes), SHA-256 of the manifest, the manifest (JSON), then the arrays in the
manifest's order as little-endian float64. The manifest carries each array's SHA-256, so that a flipped byte or a
truncation anywhere is noticed and named before a single number is used; and so are tables that do not fit together, or
a model that lies where another one should.
"""

import hashlib
import math
from typing import Any

import msgspec
import numpy as np

from pos_discount.arrays import Floats
from pos_discount.sensitivity.events import KNOTS
from pos_discount.sensitivity.features import FEATURES_VERSION
from pos_discount.sensitivity.model import CellTree, ModelCard, Segment, SensitivityModel
from pos_discount.sensitivity.soundness import find_unsound, find_unsound_segments

MAGIC = b"pos-discount sensitivity 1\n"
HEADER_LENGTH = len(MAGIC) + 8 + 32
TABLE_NAMES = (
    "curves",
    "walk",
    "loss",
    "mixes",
    "draw_curves",
    "draw_walk",
    "draw_loss",
    "draw_mixes",
    "draw_base_share",
)


class ModelUnreadable(ValueError):
    """A served model's bytes are not what was written; the message says what is wrong and what to do."""


class _Table(msgspec.Struct, frozen=True):
    name: str
    shape: tuple[int, ...]
    sha256: str


class _Manifest(msgspec.Struct, frozen=True):
    features_version: int
    knots: tuple[int, ...]
    base_share: float
    noise: float
    tree: CellTree
    segments: tuple[Segment, ...]
    segment_of: tuple[int, ...]
    card: ModelCard
    tables: tuple[_Table, ...]


def model_to_bytes(model: SensitivityModel) -> bytes:
    """Write a model: equal models give equal bytes."""
    body_by_name = {name: np.ascontiguousarray(getattr(model, name), dtype="<f8") for name in TABLE_NAMES}
    manifest = msgspec.json.encode(
        _Manifest(
            features_version=FEATURES_VERSION,
            knots=model.knots,
            base_share=model.base_share,
            noise=model.noise,
            tree=model.tree,
            segments=model.segments,
            segment_of=model.segment_of,
            card=model.card,
            tables=tuple(
                _Table(name, array.shape, hashlib.sha256(array.tobytes()).hexdigest())
                for name, array in body_by_name.items()
            ),
        )
    )
    head = MAGIC + len(manifest).to_bytes(8, "big") + hashlib.sha256(manifest).digest()
    return head + manifest + b"".join(array.tobytes() for array in body_by_name.values())


def model_from_bytes(content: bytes, version: str | None = None) -> SensitivityModel:
    """Read a model, of the `version` that was asked for where one was.

    Raises ModelUnreadable where a byte differs, is missing or is too many, where the tables do not fit together, and
    where it is another version.
    """
    manifest, body = _checked_manifest(content)
    if version is not None and version != model_version(content):
        raise ModelUnreadable(_complaint(f"it is {model_version(content)}, where {version} should be"))
    tables = _tables(manifest, body)
    unsound = find_unsound(
        tables, len(manifest.knots), manifest.tree, {"base_share": manifest.base_share, "noise": manifest.noise}
    ) or find_unsound_segments(manifest.segments, manifest.segment_of, len(tables["walk"]), len(manifest.knots))
    if unsound is not None:
        raise ModelUnreadable(_complaint(unsound))
    return SensitivityModel(
        **tables,
        base_share=manifest.base_share,
        noise=manifest.noise,
        tree=manifest.tree,
        segments=manifest.segments,
        segment_of=manifest.segment_of,
        card=manifest.card,
        knots=manifest.knots,
    )


def _tables(manifest: _Manifest, body: bytes) -> dict[str, Floats]:
    tables: dict[str, Floats] = {}
    for table in manifest.tables:
        length = 8 * math.prod(table.shape)
        piece, body = body[:length], body[length:]
        if min(table.shape, default=0) < 0 or hashlib.sha256(piece).hexdigest() != table.sha256:
            raise ModelUnreadable(_complaint(f"table '{table.name}' does not match its digest"))
        tables[table.name] = np.frombuffer(piece, dtype="<f8").astype(np.float64).reshape(table.shape)
    if body:
        raise ModelUnreadable(_complaint(f"{len(body)} bytes follow the last table"))
    return tables


def model_version(content: bytes) -> str:
    """Name a written model by a digest of its content (its manifest has the digests of its tables)."""
    return "m-" + hashlib.sha256(content[:HEADER_LENGTH]).hexdigest()[:20]


def _checked_manifest(content: bytes) -> tuple[_Manifest, bytes]:
    if not content.startswith(MAGIC) or len(content) < HEADER_LENGTH:
        raise ModelUnreadable(_complaint("it does not begin as a sensitivity model of this version does"))
    length = int.from_bytes(content[len(MAGIC) : len(MAGIC) + 8], "big")
    text = content[HEADER_LENGTH : HEADER_LENGTH + length]
    if hashlib.sha256(text).digest() != content[len(MAGIC) + 8 : HEADER_LENGTH]:
        raise ModelUnreadable(_complaint("the manifest does not match its digest"))
    try:
        manifest = msgspec.json.decode(text, type=_Manifest)
    except msgspec.MsgspecError as error:
        raise ModelUnreadable(_complaint(f"the manifest cannot be read: {error}")) from error
    return manifest, _of_this_kind(manifest, content[HEADER_LENGTH + length :])


def _of_this_kind(manifest: _Manifest, body: bytes) -> bytes:
    if manifest.features_version != FEATURES_VERSION or manifest.knots != KNOTS:
        raise ModelUnreadable(_complaint("it was fitted on other features or knots than this version has"))
    if tuple(table.name for table in manifest.tables) != TABLE_NAMES:
        raise ModelUnreadable(_complaint(f"it should have the tables {', '.join(TABLE_NAMES)}"))
    return body


def _complaint(what: str) -> str:
    return f"sensitivity model: {what}; activate another model or run 'pos-discount retrain'"


def manifest_of(content: bytes) -> dict[str, Any]:
    """Read a written model's manifest as plain values, for people and tools."""
    manifest, _ = _checked_manifest(content)
    plain: dict[str, Any] = msgspec.to_builtins(manifest)
    return plain
