"""Settings of a population, read and checked; every message names the cluster and the feature."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML, YAMLError

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_keys, check_shares
from cohortlab.synthetic.populations.laws import LAWS, Law, Parameters

Correlation = float | Mapping[str, Mapping[str, float]] | Sequence[Sequence[float]]
_RESERVED = ("share", "correlation", "cluster")


@dataclass(frozen=True)
class FeatureLaw:
    """The distribution of a feature in a cluster, with its parameters."""

    law: Law
    parameters: Parameters

    def draw(self, u: np.ndarray) -> np.ndarray:
        """Values at the shares ``u``."""
        return self.law.quantile(u, self.parameters)


@dataclass(frozen=True)
class ClusterLaw:
    """A cluster, read and checked.

    Attributes
    ----------
    name : str
        Its name.
    share : float
        Share of the population.
    features : dict
        Feature -> its law, in the order of the columns.
    correlation : ndarray, shape (n_features, n_features), or None
        Correlation of the Gaussian copula; None where features are independent.
    """

    name: str
    share: float
    features: dict[str, FeatureLaw]
    correlation: np.ndarray | None


def read_clusters(
    features: Sequence[str],
    generator: str | Callable[..., np.ndarray],
    clusters: Mapping[str, Mapping] | str | PathLike,
    *,
    correlation: Correlation | None = None,
) -> list[ClusterLaw]:
    """Read and check the clusters of a population.

    Parameters
    ----------
    features, generator, clusters, correlation
        As for `make_population`.

    Returns
    -------
    list of ClusterLaw
        In the order given.

    Raises
    ------
    ValueError
        With the name of the cluster and of the feature that is not as it must be.
    """
    _check_features(features)
    clusters = load_clusters(clusters)
    if not isinstance(clusters, Mapping) or not clusters:
        raise ValueError(f"clusters: expected a mapping with at least one name, got {clusters!r}")
    for name, block in clusters.items():
        if isinstance(block, Mapping):
            block = {key: value for key, value in block.items() if key != "correlation"}
        check_keys(block, ["share", *features], where=f"clusters.{name}")
    check_shares({name: block["share"] for name, block in clusters.items()}, where="clusters")
    read = []
    for name, block in clusters.items():
        where = f"clusters.{name}"
        laws = {f: _read_law(block[f], generator, where=f"{where}.{f}") for f in features}
        matrix = _read_correlation(block.get("correlation", correlation), features, where=where)
        read.append(ClusterLaw(str(name), float(block["share"]), laws, matrix))
    return read


def load_clusters(clusters: Mapping[str, Mapping] | str | PathLike) -> Mapping[str, Mapping]:
    """Read the settings of clusters from a YAML file, where they are given as its path.

    Parameters
    ----------
    clusters : mapping or path
        Settings, which are returned as they are, or the path of a YAML file that holds them and
        nothing else.

    Returns
    -------
    mapping
        As `make_population` takes it; what it holds is checked there.

    Raises
    ------
    ValueError
        With the path, if the file cannot be read, is no YAML, or holds no mapping.
    """
    if not isinstance(clusters, str | PathLike):
        return clusters
    path = Path(clusters)
    try:
        found = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"clusters: {path} cannot be read ({error}); give a mapping or the path of a YAML file"
        ) from error
    except YAMLError as error:
        raise ValueError(f"clusters: {path} is no YAML: {error}") from error
    if not isinstance(found, Mapping) or not found:
        raise ValueError(
            f"clusters: {path}: expected a name and its settings for each cluster, got {found!r}"
        )
    return found


def _check_features(features: Sequence[str]) -> None:
    if isinstance(features, str) or not len(features):
        raise ValueError(f"features: expected a list of at least one name, got {features!r}")
    for name in features:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"features: expected names that are text, got {name!r}")
        if name in _RESERVED:
            raise ValueError(f"features: {name!r} has a meaning of its own; rename the feature")
    if len(set(features)) < len(features):
        raise ValueError(f"features: every name once, got {list(features)}")


def _read_law(
    block: object, generator: str | Callable[..., np.ndarray], *, where: str
) -> FeatureLaw:
    if isinstance(block, Mapping):
        name = block.get("distribution")
        if name not in LAWS:
            raise ValueError(f"{where}.distribution: expected one of {list(LAWS)}, got {name!r}")
        check_keys(block, ["distribution", *LAWS[name].keys], where=where)
        parameters = {key: block[key] for key in LAWS[name].keys}
    elif callable(generator):
        return _callable_law(generator, block, where=where)
    else:
        name, parameters = generator, _by_position(block, generator, where=where)
    LAWS[name].check(parameters, where)
    return FeatureLaw(LAWS[name], parameters)


def _by_position(block: object, generator: object, *, where: str) -> dict:
    if not isinstance(generator, str) or generator not in LAWS:
        raise ValueError(
            f"{where}: drawn by the generator {generator!r}, which is unknown; expected one of "
            f"{list(LAWS)}, or a function"
        )
    keys = LAWS[generator].keys
    values = block if isinstance(block, Sequence) and not isinstance(block, str) else [block]
    if len(values) != len(keys):
        raise ValueError(f"{where}: {generator} takes {list(keys)}, got {block!r}")
    return dict(zip(keys, values, strict=True))


def _callable_law(generator: Callable[..., np.ndarray], block: object, *, where: str) -> FeatureLaw:
    values = block if isinstance(block, Sequence) and not isinstance(block, str) else [block]

    def density(rows: np.ndarray, parameters: Parameters) -> np.ndarray:
        raise ValueError(f"{where}: the density of a function of your own is not known")

    law = Law((), lambda _, __: None, lambda u, _: np.asarray(generator(u, *values)), density)
    return FeatureLaw(law, {})


def _read_correlation(
    given: Correlation | None, features: Sequence[str], *, where: str
) -> np.ndarray | None:
    where = f"{where}.correlation"
    if given is None:
        return None
    matrix = np.eye(len(features))
    if isinstance(given, Mapping):
        _fill_pairs(matrix, given, list(features), where)
    elif isinstance(given, Sequence | np.ndarray):
        matrix = np.asarray(given, dtype=float)
    else:
        check_number(given, where=where, low=-1, high=1)
        matrix[~np.eye(len(features), dtype=bool)] = given
    return _checked_correlation(matrix, features, where)


def _fill_pairs(matrix: np.ndarray, given: Mapping, features: list[str], where: str) -> None:
    for one, others in given.items():
        if not isinstance(others, Mapping):
            raise ValueError(f"{where}.{one}: expected features with numbers, got {others!r}")
        for other, value in others.items():
            for name in (one, other):
                if name not in features:
                    raise ValueError(f"{where}.{name}: unknown; the features are {features}")
            check_number(value, where=f"{where}.{one}.{other}", low=-1, high=1)
            i, j = features.index(one), features.index(other)
            matrix[i, j] = matrix[j, i] = value


def _checked_correlation(matrix: np.ndarray, features: Sequence[str], where: str) -> np.ndarray:
    n = len(features)
    if matrix.shape != (n, n) or not np.isfinite(matrix).all():
        raise ValueError(f"{where}: expected {n} x {n} numbers, got shape {matrix.shape}")
    if not np.allclose(matrix, matrix.T) or not np.allclose(np.diag(matrix), 1.0):
        raise ValueError(f"{where}: expected a symmetric matrix with ones on the diagonal")
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < 1e-10:
        raise ValueError(
            f"{where}: no data have these correlations of {list(features)} (smallest eigenvalue "
            f"{smallest:.3g}, it must be above 0): bring them nearer to 0"
        )
    return matrix


def spread_cluster(cluster: ClusterLaw, factor: float) -> ClusterLaw:
    """Multiply the width of every feature of a cluster that has one.

    Parameters
    ----------
    cluster : ClusterLaw
        From `read_clusters`.
    factor : float
        Above 0.

    Returns
    -------
    ClusterLaw
        The same centres; features whose width and centre cannot be told apart stay.
    """
    features = {
        name: replace(f, parameters=f.law.spread(f.parameters, factor)) if f.law.spread else f
        for name, f in cluster.features.items()
    }
    return replace(cluster, features=features)
