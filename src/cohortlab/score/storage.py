"""A bundle as a folder of JSON and plain arrays, refused where a part is changed or foreign."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cohortlab.arrays import pack_arrays, unpack_arrays
from cohortlab.embedding.forest import LeafForest
from cohortlab.run.project import to_json
from cohortlab.scaling import Scaling
from cohortlab.score.bundle import Bundle

FORMAT = "cohortlab clusters 1"
MANIFEST = "manifest.json"
PARTS = ("scaling.json", "clusters.json", "forest.npz", "members.npz")
_MADE_WITH = ("cohortlab", "numpy", "scikit-learn", "umap-learn")


class BundleError(ValueError):
    """A bundle that is not to be used."""


def save_bundle(bundle: Bundle, folder: Path) -> None:
    """Write a bundle into a folder.

    Parameters
    ----------
    bundle : Bundle
        What to keep.
    folder : pathlib.Path
        An existing folder. It gets the parts, and a manifest with the inputs' schema, versions,
        the agreement, and the SHA-256 of every part and of the manifest itself.
    """
    forest = bundle.forest.arrays() | {"shares": bundle.shares}
    members = {
        "id": bundle.members.index.to_numpy(dtype=str),
        "cluster": bundle.members.to_numpy(dtype=np.int64),
    }
    parts = {
        "scaling.json": to_json(bundle.scaling.parameters()).encode(),
        "clusters.json": to_json(bundle.clusters.to_dict("list")).encode(),
        "forest.npz": pack_arrays(forest),
        "members.npz": pack_arrays(members),
    }
    manifest = {
        "format": FORMAT,
        "study": bundle.study,
        "id": bundle.id_name,
        "inputs": bundle.inputs.to_dict("records"),
        "agreement": bundle.agreement,
        "made_with": {name: version(name) for name in _MADE_WITH},
        "parts": {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()},
    }
    manifest = json.loads(to_json(manifest))
    for name, content in parts.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_text(to_json(manifest | {"sha256": _digest(manifest)}), "utf-8")


def load_bundle(folder: Path, *, study: str) -> Bundle:
    """Read what `save_bundle` wrote, after checking every byte of it.

    Parameters
    ----------
    folder : pathlib.Path
        The bundle.
    study : str
        Study that it must belong to.

    Returns
    -------
    Bundle
        Ready to assign.

    Raises
    ------
    BundleError
        If a part is missing, was changed, is of another format or study, or holds what no fit
        makes (objects to unpickle, nodes that lead nowhere). Digests find accidents; whoever
        wants to deceive can write digests too, but nothing in a bundle is ever executed.
    """
    manifest = _manifest(folder, study)
    content = {name: _checked_part(folder / name, manifest["parts"]) for name in PARTS}
    try:
        arrays = unpack_arrays(content["forest.npz"])
        shares = arrays.pop("shares")
        members = unpack_arrays(content["members.npz"])
        bundle = Bundle(
            study=study,
            id_name=manifest["id"],
            inputs=pd.DataFrame(manifest["inputs"]),
            scaling=Scaling.from_parameters(json.loads(content["scaling.json"])),
            forest=LeafForest(**arrays),
            shares=shares,
            clusters=pd.DataFrame(json.loads(content["clusters.json"])),
            members=pd.Series(
                members["cluster"],
                index=pd.Index(members["id"], name=manifest["id"]),
                name="cluster",
            ),
            agreement=manifest["agreement"],
        )
        _check_whole(bundle)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise BundleError(f"{folder} is no usable bundle ({error}): make it again") from error
    return bundle


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _manifest(folder: Path, study: str) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{path} is not there: run the embedding step, or name another --bundle")
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BundleError(f"{path} is no JSON ({error}): make the bundle again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleError(f"{path} is not of the format {FORMAT!r}: make the bundle again")
    if manifest.pop("sha256", None) != _digest(manifest):
        raise BundleError(f"{path} was changed after it was written: its digest does not fit")
    if manifest["study"] != study:
        raise BundleError(f"{folder} belongs to study {manifest['study']!r}, not to {study!r}")
    return manifest


def _checked_part(path: Path, digests: dict[str, str]) -> bytes:
    if not path.is_file():
        raise BundleError(f"{path} is missing: make the bundle again")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digests.get(path.name):
        raise BundleError(f"{path} was changed after it was written: its digest does not fit")
    return content


def _check_whole(bundle: Bundle) -> None:
    """Demand that every walk through a tree ends in a leaf, since compiled code checks nothing."""
    forest, n_clusters = bundle.forest, len(bundle.clusters)
    n_nodes, inner = len(forest.feature), np.flatnonzero(~forest.is_leaf)
    same_length = {len(a) for n, a in forest.arrays().items() if n != "roots"} == {n_nodes}
    if not same_length or list(bundle.inputs["name"]) != bundle.scaling.columns_:
        raise ValueError("its parts do not fit each other")
    sides = np.concatenate([forest.left[inner], forest.right[inner]])
    # A child comes after its parent, so no walk can go in circles.
    if (sides <= np.tile(inner, 2)).any() or (sides >= n_nodes).any():
        raise ValueError("a node leads nowhere")
    starts = np.concatenate([forest.roots, sides])
    if len(starts) != n_nodes or len(np.unique(starts)) != n_nodes:
        raise ValueError("a node hangs on none or on two others")
    roots_fit = len(forest.roots) and 0 <= forest.roots.min() <= forest.roots.max() < n_nodes
    if not roots_fit or forest.feature.max() >= len(bundle.scaling.columns_):
        raise ValueError("a tree asks for what is not there")
    if bundle.shares.shape != (forest.is_leaf.sum(), n_clusters):
        raise ValueError("shares do not fit the leaves")
