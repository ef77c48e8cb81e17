"""Names, families and parameter counts of the covariance models."""

from dataclasses import dataclass

MODEL_NAMES = (
    "EII",
    "VII",
    "EEI",
    "VEI",
    "EVI",
    "VVI",
    "EEE",
    "VEE",
    "EVE",
    "VVE",
    "EEV",
    "VEV",
    "EVV",
    "VVV",
)
ONE_FEATURE_MODELS = ("E", "V")
ALIASES = {"spherical": "VII", "diag": "VVI", "tied": "EEE", "full": "VVV"}
_ONE_FEATURE = {"E": "EII", "V": "VII"}

# What the rows must be summed up to, so that one iteration needs no other pass over them.
_LINEAR = ("EII", "EEI", "EEE")
_DIAGONAL = ("EII", "VII", "EEI", "VEI", "EVI", "VVI")


@dataclass(frozen=True)
class Family:
    """How one covariance model is computed.

    Attributes
    ----------
    name : str
        Three-letter name.
    diagonal : bool
        Covariances are diagonal and are kept as `(..., n_components, n_features)`.
    pooled : bool
        All components share one covariance, so the rows enter through linear terms alone.
    """

    name: str
    diagonal: bool
    pooled: bool


def resolve_model(model: str, n_features: int) -> Family:
    """Look up a covariance model by any of its names.

    Parameters
    ----------
    model : str
        A three-letter name, `E` or `V` for one feature, or scikit-learn's `spherical`, `diag`,
        `tied`, `full`.
    n_features : int
        Number of columns of the data.

    Returns
    -------
    Family
        The model's family.

    Raises
    ------
    ValueError
        If the name is unknown, or `E` or `V` is asked for with several features.

    Examples
    --------
    >>> resolve_model("tied", 2).name
    'EEE'
    """
    if model in _ONE_FEATURE and n_features != 1:
        raise ValueError(
            f"model={model!r} is for one feature, but the data have {n_features}; "
            f"try {_ONE_FEATURE[model]!r}, or 'VVV' for free covariances."
        )
    name = _ONE_FEATURE.get(model, ALIASES.get(model, model))
    if name not in MODEL_NAMES:
        known = ", ".join(MODEL_NAMES + ONE_FEATURE_MODELS + tuple(ALIASES))
        raise ValueError(f"model={model!r} is not known; expected one of {known}.")
    return Family(str(name), diagonal=name in _DIAGONAL, pooled=name in _LINEAR)


def canonical_name(model: str, n_features: int) -> str:
    """Give the one name under which a search lists a covariance model.

    Parameters
    ----------
    model : str
        Any name that `resolve_model` knows.
    n_features : int
        Number of columns of the data.

    Returns
    -------
    str
        mclust's name; for one feature `E` or `V`, where shape and orientation mean nothing.

    Examples
    --------
    >>> canonical_name("full", 2), canonical_name("full", 1)
    ('VVV', 'V')
    """
    name = resolve_model(model, n_features).name
    return name[0] if n_features == 1 else name


def default_models(n_features: int) -> tuple[str, ...]:
    """Name every model that differs from the others for this number of features.

    Parameters
    ----------
    n_features : int
        Number of columns of the data.

    Returns
    -------
    tuple of str
        Covariance models.

    Examples
    --------
    >>> default_models(1)
    ('E', 'V')
    """
    return ONE_FEATURE_MODELS if n_features == 1 else MODEL_NAMES


def count_parameters(name: str, n_components: int, n_features: int) -> int:
    """Count the free parameters of a mixture: weights, means and covariances.

    Parameters
    ----------
    name : str
        Three-letter name of the covariance model.
    n_components, n_features : int
        Size of the mixture.

    Returns
    -------
    int
        Number of free parameters.

    Notes
    -----
    The covariance is volume times shape times orientation. An equal part is counted once, a
    variable part once a component, an identity part not at all.

    References
    ----------
    Celeux and Govaert (1995), Gaussian parsimonious clustering models, Table 1.

    Examples
    --------
    >>> count_parameters("VVV", 3, 2)
    17
    """
    times = {"E": 1, "V": n_components, "I": 0}
    volume, shape, orientation = (times[letter] for letter in name)
    rotation = n_features * (n_features - 1) // 2
    covariance = volume + shape * (n_features - 1) + orientation * rotation
    return covariance + n_components * n_features + n_components - 1
