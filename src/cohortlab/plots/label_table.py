"""Labels as a coloured table, one cell a person, found beside true."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex, to_rgba

from cohortlab.plots.style import cluster_colours, ink_on
from cohortlab.recovery import match_labels

# What all cells share stands on the table, but notebooks pad every cell unless it says otherwise.
_CELL = "padding:1px 4px"
_TABLE = "border-collapse:separate;border-spacing:1px;font-size:9px"


def label_table(
    found: Sequence[Any],
    true: Sequence[Any],
    *,
    people: Sequence[Any] | None = None,
    names: Mapping[Any, str] | None = None,
    columns: int = 20,
    max_people: int = 400,
    members: str = "people",
) -> str:
    """Draw labels as HTML: every person is a cell, the found clusters stand beside the true ones.

    Parameters
    ----------
    found, true : sequence of shape (n_people,)
        Labels of the same people.
    people : sequence, optional
        What to call them when the pointer rests on a cell; their place from 1 by default.
    names : mapping of true label to text, optional
        What to call the true clusters; the labels themselves by default.
    columns : int
        Cells beside each other in each half.
    max_people : int
        Of more people so many are shown, evenly spaced in order; the caption says so.
    members : str
        What the caption calls them: items can be shown as well.

    Returns
    -------
    str
        A fragment of HTML. Found clusters have the colour and the number of the true cluster that
        they are matched with (Hungarian method); clusters without a partner are grey, with letters.
        Names are escaped: no markup in them is read as such.

    Raises
    ------
    ValueError
        If the lengths differ, a label is missing or nobody is there.
    """
    # As objects: beside texts, NumPy would make a text of what is missing.
    missing = (pd.isna(np.asarray(labels, dtype=object)).sum() for labels in (found, true))
    if n_missing := sum(missing):
        raise ValueError(f"{n_missing} labels are missing: leave out who has none")
    found, true = np.asarray(found), np.asarray(true)
    matching = match_labels(true, found)
    who = np.arange(1, len(true) + 1) if people is None else np.asarray(people, dtype=object)
    if len(who) != len(true):
        raise ValueError(f"{len(who)} names of people, but {len(true)} labels")
    looks = _looks(matching.confusion, matching.planted_to_found)
    chosen = np.arange(len(true))
    if len(true) > max_people:
        chosen = np.linspace(0, len(true) - 1, max_people).astype(int)
    # People of a true cluster stand together, so that what was confused stands out.
    chosen = chosen[np.argsort(np.unique(true, return_inverse=True)[1][chosen], kind="stable")]
    halves = [
        _half(title, [looks[side][_plain(v)] for v in labels[chosen]], who[chosen], columns)
        for title, side, labels in (("found", "found", found), ("true", "true", true))
    ]
    some = f"{len(chosen)} of {len(true)}" if len(chosen) < len(true) else "all"
    wrong = len(true) - sum(
        int(matching.confusion.loc[t, f]) for t, f in matching.planted_to_found.items()
    )
    caption = (
        f"{some} {members} shown; {wrong} of {len(true)} are not in the cluster of their own kind"
    )
    return (
        f'<table style="border-collapse:separate"><caption>{caption}</caption>'
        f'<tr style="vertical-align:top">{"".join(halves)}</tr></table>'
        + _legend(looks["true"], names or {})
    )


def _looks(confusion: Any, pairs: Mapping) -> dict[str, dict[Any, tuple[str, str]]]:
    kinds = sorted((_plain(v) for v in confusion.index), key=str)
    colours = [to_hex(colour) for colour in cluster_colours(len(kinds))]
    true = {k: (colours[i], str(i + 1)) for i, k in enumerate(kinds)}
    found = {cluster: true[kind] for kind, cluster in pairs.items()}
    alone = sorted((v for v in map(_plain, confusion.columns) if v not in found), key=str)
    greys = np.linspace(0.75, 0.45, max(len(alone), 1))
    for place, (cluster, grey) in enumerate(zip(alone, greys, strict=False)):
        found[cluster] = (to_hex((grey, grey, grey)), chr(ord("a") + place % 26))
    return {"true": true, "found": found}


def _half(title: str, looks: list[tuple[str, str]], who: np.ndarray, columns: int) -> str:
    cells = [
        f'<td style="{_CELL};background:{colour};color:{_ink(colour)}" '
        f'title="{escape(str(name), quote=True)}">{mark}</td>'
        for (colour, mark), name in zip(looks, who, strict=True)
    ]
    rows = [
        f"<tr>{''.join(cells[start : start + columns])}</tr>"
        for start in range(0, len(cells), columns)
    ]
    return f'<td><b>{title}</b><table style="{_TABLE}">{"".join(rows)}</table></td>'


def _legend(looks: Mapping[Any, tuple[str, str]], names: Mapping[Any, str]) -> str:
    parts = [
        f'<span style="background:{colour};color:{_ink(colour)};padding:0 .4em">{mark}</span> '
        f"{escape(str(names.get(kind, kind)))}"
        for kind, (colour, mark) in looks.items()
    ]
    return f"<div>{' &nbsp; '.join(parts)}</div>"


def _ink(colour: str) -> str:
    return str(ink_on(np.array(to_rgba(colour))))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
