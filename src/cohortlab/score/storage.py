"""A bundle as a folder of JSON and plain arrays, refused where a part is changed or foreign."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from cohortlab.run.project import to_json
from cohortlab.score.bundle import Bundle
from cohortlab.score.kept import Scored

MANIFEST = "manifest.json"
#: What reading and trying a bundle raises where a part holds what it should not.
_UNFIT = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError, RecursionError,
    MemoryError,
)  # fmt: skip
_MADE_WITH = ("cohortlab", "numpy", "scikit-learn", "umap-learn")
Kind = TypeVar("Kind", bound=Scored)


class BundleError(ValueError):
    """A bundle that is not to be used."""


def save_bundle(bundle: Scored, folder: Path) -> None:
    """Write a bundle into a folder.

    Parameters
    ----------
    bundle : Bundle or DetectorBundle
        What to keep.
    folder : pathlib.Path
        An existing folder. It gets the parts, and a manifest with the inputs' schema, versions,
        what else the bundle tells, and the SHA-256 of every part and of the manifest itself.
    """
    parts = bundle.parts()
    manifest = {
        "format": bundle.FORMAT,
        "study": bundle.study,
        "id": bundle.id_name,
        "inputs": bundle.inputs.to_dict("records"),
        **bundle.about(),
        "made_with": {name: version(name) for name in _MADE_WITH},
        "parts": {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()},
    }
    manifest = json.loads(to_json(manifest))
    for name, content in parts.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_text(to_json(manifest | {"sha256": _digest(manifest)}), "utf-8")


def load_bundle(folder: Path, *, study: str, kinds: tuple[type[Kind], ...] = (Bundle,)) -> Kind:
    """Read what `save_bundle` wrote, after checking every byte of it.

    Parameters
    ----------
    folder : pathlib.Path
        The bundle.
    study : str
        Study that it must belong to.
    kinds : tuple of type
        Kinds of bundles, one of which it must be.

    Returns
    -------
    Bundle or DetectorBundle
        Ready to assign.

    Raises
    ------
    BundleError
        If a part is missing, was changed, is of another format or study, or holds what no fit
        makes (objects to unpickle, nodes that lead nowhere, text for a number). Digests find
        accidents; whoever wants to deceive can write digests too, but nothing in a bundle is ever
        executed.
    """
    manifest = _manifest(folder, study, [kind.FORMAT for kind in kinds])
    kind = next(kind for kind in kinds if manifest["format"] == kind.FORMAT)
    content = {name: _checked_part(folder / name, manifest["parts"]) for name in kind.PARTS}
    try:
        bundle = kind.from_parts(manifest, content)
        _try(bundle)
    except _UNFIT as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise BundleError(f"{folder} is no usable bundle ({reason}): make it again") from error
    return bundle


def _try(bundle: Scored) -> None:
    """Let a bundle say something of the lowest and of the highest values that it has seen."""
    limits = bundle.inputs[["lowest", "highest"]].to_numpy(float)
    bundle.score(dict(zip(bundle.needed, limits, strict=True)))


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _manifest(folder: Path, study: str, formats: list[str]) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(
            f"{path} is not there: run the step `embedding` or `anomalies` of the study, or name "
            "another --bundle"
        )
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is no JSON ({error}): make the bundle again") from error
    if not isinstance(manifest, dict) or manifest.get("format") not in formats:
        raise BundleError(
            f"{path} is not of the format {' or '.join(formats)!r}: make the bundle again"
        )
    if manifest.pop("sha256", None) != _digest(manifest):
        raise BundleError(f"{path} was changed after it was written: its digest does not fit")
    if manifest.get("study") != study:
        raise BundleError(f"{folder} belongs to study {manifest.get('study')!r}, not to {study!r}")
    if not isinstance(manifest.get("parts"), dict):
        raise BundleError(f"{path} names no parts with their digests: make the bundle again")
    return manifest


def _checked_part(path: Path, digests: dict[str, str]) -> bytes:
    if not path.is_file():
        raise BundleError(f"{path} is missing: make the bundle again")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digests.get(path.name):
        raise BundleError(f"{path} was changed after it was written: its digest does not fit")
    return content
