"""The colours of pictures as rows: in sRGB and OKLab, with how many pixels have them."""

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from cohortlab.features.colours import hex_name, to_oklab

CHANNELS = ["red", "green", "blue", "alpha"]
OKLAB = ["lightness", "green_red", "blue_yellow"]


def colour_counts(pixels: ir.Table) -> pd.DataFrame:
    """Count the pixels of each colour of each picture.

    Parameters
    ----------
    pixels : ibis.Table
        `picture, pixel, red, green, blue, alpha`.

    Returns
    -------
    pandas.DataFrame
        `picture, red, green, blue, alpha, colour` (`#rrggbb`, two more digits where it is not
        opaque) and `n_pixels`, ordered. What is wholly transparent is one colour.
    """
    hidden = pixels.alpha == 0
    own = pixels.mutate(**{name: hidden.ifelse(0, pixels[name]) for name in CHANNELS})
    keys = ["picture", *CHANNELS]
    counts = own.group_by(keys).agg(n_pixels=lambda t: t.count()).order_by(keys).to_pandas()
    colour = [hex_name(row) for row in counts[CHANNELS].to_numpy()]
    counts.insert(5, "colour", pd.Series(colour, dtype="str"))
    return counts.astype({"picture": "str"} | dict.fromkeys(CHANNELS, "int64"))


def colour_features(counts: pd.DataFrame) -> pd.DataFrame:
    """Describe each colour that any picture has.

    Parameters
    ----------
    counts : pandas.DataFrame
        From `colour_counts`.

    Returns
    -------
    pandas.DataFrame
        `colour`, its sRGB and alpha (0 to 255), OKLab, and `n_pixels` of all pictures.
    """
    table = counts.groupby(["colour", *CHANNELS], as_index=False)["n_pixels"].sum()
    oklab = to_oklab(table[CHANNELS[:3]].to_numpy())
    for place, name in enumerate(OKLAB):
        table.insert(5 + place, name, oklab[:, place])
    return table


def incidence(counts: pd.DataFrame) -> pd.DataFrame:
    """Say which picture has which colour how often: `person_id, item, weight`.

    Parameters
    ----------
    counts : pandas.DataFrame
        From `colour_counts`.

    Returns
    -------
    pandas.DataFrame
        Pictures in the place of people, colours in that of items, pixels as weights.
    """
    names = {"picture": "person_id", "colour": "item", "n_pixels": "weight"}
    return counts.rename(columns=names)[list(names.values())]


def spread(counts: pd.DataFrame) -> pd.DataFrame:
    """Sum up the colours of each picture.

    Parameters
    ----------
    counts : pandas.DataFrame
        From `colour_counts`.

    Returns
    -------
    pandas.DataFrame
        By picture: `pixels`, distinct `colours`, `pixels_per_colour`, `effective_colours` (two to
        the power of the entropy in bits: as many equally frequent colours would be as varied), and
        `transparent_share` (pixels that are not opaque).
    """
    by_picture = counts.groupby("picture")["n_pixels"]
    share = counts["n_pixels"] / by_picture.transform("sum")
    bits = -(share * np.log2(share)).groupby(counts["picture"]).sum()
    seen_through = counts["n_pixels"].where(counts["alpha"] < 255, 0)
    table = pd.DataFrame({"pixels": by_picture.sum(), "colours": by_picture.size()})
    table["pixels_per_colour"] = table["pixels"] / table["colours"]
    table["effective_colours"] = 2**bits
    table["transparent_share"] = seen_through.groupby(counts["picture"]).sum() / table["pixels"]
    return table
