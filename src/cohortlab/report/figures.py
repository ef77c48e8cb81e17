"""Key figures of a study in words, read from its metrics."""

import json
from pathlib import Path
from typing import Any

from cohortlab.notebook.look import thousands

# Where they stand; of files beside the first, only what has words here.
FILES = ("key_figures.json", "laboratory.json")
# In words, in the order of interest; the first one that a study has is its key number.
WORDS = {
    "useful_conditions": "share of the conditions tried under which some method is of use",
    "ssim": "likeness of pictures in few colours to the originals (SSIM: 1 is the same)",
    "precision": "share of what is flagged that is planted (precision)",
    "clusters": "groups found",
    "reduced": "what SSIM, PSNR and colour difference are of: method, colours, pictures",
    "certificate": "verdict on the choice of the mixture (sound, doubtful or none)",
    "people": "people (or visits) in the groups",
    "adjusted_rand": "agreement with planted groups (adjusted Rand index: 1 is all, 0 chance)",
    "recall": "share of what is planted that is flagged (recall)",
    "false_alarms_a_day": "false alarms a day",
    "null_day_share": "share flagged on a day on which nothing is planted",
    "recognised": "held-out sequences matched to the right description, as a share",
    "related_pairs": "pairs of a group of people and a group of items that are related",
    "rules": "association rules",
    "relation_recall": "planted relations found, as a share",
    "pair_recall": "planted pairs of items found, as a share",
    "silhouette": "mean silhouette (1: far apart, 0: touching)",
    "model": "covariance model of the mixture",
    "components": "components of the mixture",
    "bic": "BIC of the mixture",
    "psnr_db": "signal over error, decibels (PSNR)",
    "delta_e_mean": "mean difference of colours (CIE Delta E)",
    "n_planted": "planted palettes (pictures made of colours that are known)",
    "n_recovered": "planted palettes found: the right number of colours, and each of them",
}


def read_figures(folder: Path) -> dict[str, Any]:
    """Read the key figures of a study.

    Parameters
    ----------
    folder : pathlib.Path
        `results/<study>`.

    Returns
    -------
    dict
        By name, those with a value, in the order of interest; empty where there is no file.
    """
    figures: dict[str, Any] = {}
    for name in FILES:
        path = folder / name
        if path.is_file():
            read = json.loads(path.read_text(encoding="utf-8"))
            figures |= {k: v for k, v in read.items() if name == FILES[0] or k in WORDS}
    ordered = [key for key in WORDS if key in figures]
    ordered += [key for key in figures if key not in WORDS]
    return {key: figures[key] for key in ordered if figures[key] is not None}


def words(name: str) -> str:
    """Say what a key figure is.

    Parameters
    ----------
    name : str
        Its key.

    Returns
    -------
    str
        Its words, or the key with spaces where it has none.

    Examples
    --------
    >>> words("clusters"), words("flagged_share")
    ('groups found', 'flagged share')
    """
    return WORDS.get(name, name.replace("_", " "))


def shown(value: Any) -> str:
    """Write a figure for people.

    Parameters
    ----------
    value : object
        A number, a text or a truth value.

    Returns
    -------
    str
        Counts with separators, other numbers to three digits.

    Examples
    --------
    >>> shown(11621), shown(0.8251), shown("VVV"), shown(24741.6)
    ('11,621', '0.825', 'VVV', '24,742')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return thousands(value) if isinstance(value, int) or abs(value) >= 100 else f"{value:.3g}"
