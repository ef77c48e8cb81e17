"""Mixtures as files of plain arrays, without pickle."""

import hashlib
import json
from pathlib import Path

import numpy as np

from cohortlab.arrays import pack_arrays, unpack_arrays

_FORMAT = "cohortlab mixture 2"
_ARRAYS = ("weights_", "means_", "covariances_", "loglik_path_", "feature_names_in_", "classes_")
_SCALARS = (
    "loglik_",
    "model_",
    "n_parameters_",
    "converged_",
    "n_iter_",
    "n_starts_agreeing_",
    "total_weight_",
    "n_features_in_",
)


def save_arrays(estimator, path: str | Path) -> None:
    """Write a fitted mixture to an .npz file.

    Parameters
    ----------
    estimator : GaussianMixture
        Fitted estimator.
    path : str or Path
        File to write. The same mixture always gives the same bytes.
    """
    params = estimator.get_params()
    if not isinstance(params["random_state"], int | np.integer | type(None)):
        params["random_state"] = None
    arrays = {
        name: np.asarray(getattr(estimator, name)) for name in _ARRAYS if hasattr(estimator, name)
    }
    if "feature_names_in_" in arrays:
        arrays["feature_names_in_"] = arrays["feature_names_in_"].astype(str)
    header = {
        "format": _FORMAT,
        "params": {name: _plain(value) for name, value in params.items()},
        "scalars": {name: _plain(getattr(estimator, name)) for name in _SCALARS},
    }
    header["digest"] = _digest(header, arrays)
    arrays["header"] = np.array(json.dumps(header, sort_keys=True))
    Path(path).write_bytes(pack_arrays(arrays))


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _digest(header: dict, arrays: dict[str, np.ndarray]) -> str:
    """Digest everything that is stored, the digest aside."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def load_arrays(kind: type, path: str | Path):
    """Read a mixture that `save_arrays` wrote.

    Parameters
    ----------
    kind : type
        The estimator class.
    path : str or Path
        File to read.

    Returns
    -------
    GaussianMixture
        Fitted estimator.

    Raises
    ------
    ValueError
        If the file is not such a mixture, is of another format, or was changed since. The digest
        finds accidents; whoever wants to deceive can write a digest too.
    """
    header, arrays = _read(path)
    if header.get("format") != _FORMAT:
        raise ValueError(
            f"{path} has format {header.get('format')!r}; expected {_FORMAT!r}. "
            "Try the version of cohortlab that wrote it."
        )
    if header.pop("digest", None) != _digest(header, arrays):
        raise ValueError(
            f"{path} was changed after GaussianMixture.save wrote it: its digest does not fit. "
            "Restore the file, or fit and save again."
        )
    estimator = kind(**header["params"])
    # Older files have no `model_`; theirs is the parameter.
    for name, value in {"model_": estimator.model, **header["scalars"]}.items():
        setattr(estimator, name, value)
    for name, array in arrays.items():
        setattr(estimator, name, array.astype(object) if name == "feature_names_in_" else array)
    return estimator


def _read(path: str | Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Read the header and the arrays."""
    content = Path(path).read_bytes()
    try:
        arrays = unpack_arrays(content)
        header = json.loads(str(arrays.pop("header")))
        if not isinstance(header, dict):
            raise ValueError("the header is no mapping")
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{path} is not a stored mixture, or is damaged ({error}); expected a file that "
            "GaussianMixture.save wrote."
        ) from error
    return header, arrays
