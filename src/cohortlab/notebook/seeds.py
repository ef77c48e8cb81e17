"""One root seed, and a stream of random numbers of its own for every study and step."""

import hashlib

import numpy as np


def derive_seed(root: int, *names: str) -> int:
    """Derive the seed of one task from the root seed and the task's names.

    Adding a study or a step changes no other's numbers, because a task's seed hangs on nothing
    but the root and its own names.

    Parameters
    ----------
    root : int
        The root seed, at least 0: `seed` in `params.yaml`.
    *names : str
        What names the task, for instance the study, the step and the purpose.

    Returns
    -------
    int
        A seed in [0, 2**32), which every library accepts.

    Examples
    --------
    >>> derive_seed(1, "sessions", "mixture") == derive_seed(1, "sessions", "mixture")
    True
    >>> derive_seed(1, "sessions", "mixture") == derive_seed(1, "customers", "mixture")
    False
    """
    if root < 0:
        raise ValueError(f"The root seed must be at least 0, got {root}: change `seed`.")
    digest = hashlib.sha256("/".join([str(root), *names]).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def derive_rng(root: int, *names: str) -> np.random.Generator:
    """Return the random generator of one task, seeded by `derive_seed`.

    Parameters
    ----------
    root : int
        The root seed.
    *names : str
        What names the task.

    Returns
    -------
    numpy.random.Generator
        A fresh generator; two calls with the same arguments give the same numbers.
    """
    return np.random.default_rng(derive_seed(root, *names))
