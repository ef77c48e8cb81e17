"""The descriptions as a table and as HTML, with nothing in it that could act."""

import html
import unicodedata

import numpy as np
import pandas as pd

from cohortlab.interpretation.describing import Descriptions
from cohortlab.interpretation.identifiability import Identifiability

# Invisible signs, such as those that turn the direction of writing, would disguise a name.
_INVISIBLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def description_table(
    descriptions: Descriptions, agreement: pd.DataFrame, found: Identifiability
) -> pd.DataFrame:
    """
    Put the descriptions beside what speaks for them.

    Parameters
    ----------
    descriptions : Descriptions
        From `describe_clusters`.
    agreement : pandas.DataFrame
        From `consistency`.
    found : Identifiability
        From `identifiability`.

    Returns
    -------
    pandas.DataFrame
        A row a cluster: `cluster`, `keywords` and `sentence` by the first seed, `keywords_again`
        (by the other seeds, parted by bars), the columns of `agreement`, and `recognised`: the
        share of the cluster's held-out sequences that went to its description.
    """
    table = descriptions.table()
    first = table["seed"] == next(iter(descriptions.by_seed))
    told = table[first].drop(columns="seed")
    again = table[~first].groupby("cluster")["keywords"].agg(" | ".join)
    recognised = pd.Series(np.diag(found.table), found.table.index)
    told.insert(3, "keywords_again", told["cluster"].map(again))
    told = told.merge(agreement, on="cluster", validate="one_to_one")
    return told.assign(recognised=told["cluster"].map(recognised))


def visible(text: object) -> str:
    r"""
    Write signs that cannot be seen by their numbers.

    Parameters
    ----------
    text : object
        Anything with a string form.

    Returns
    -------
    str
        The text on one line, ``\u202e`` in place of a sign that turns the direction of writing.

    Examples
    --------
    >>> print(visible("a\u202eb"))
    a\u202eb
    """
    return "".join(
        f"\\u{ord(sign):04x}" if unicodedata.category(sign) in _INVISIBLE else sign
        for sign in str(text)
    )


def as_html(table: pd.DataFrame, *, caption: str = "") -> str:
    """
    Write a table as HTML, everything that comes from data escaped.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table; numbers are shown with two decimals, underscores of names as blanks, missing
        values as nothing. The index is not shown.
    caption : str, optional
        Stands above the table; escaped too.

    Returns
    -------
    str
        One ``<table>``, for `IPython.display.HTML` or `as_page`. No formula is set in it.

    Examples
    --------
    >>> as_html(pd.DataFrame({"a_b": ["<b>"]})).splitlines()[-2]
    '<tr><td>&lt;b&gt;</td></tr>'
    """
    head = [_cell("th", str(name).replace("_", " ")) for name in table.columns]
    rows = [
        [_cell("td", value) for value in row] for row in table.itertuples(index=False, name=None)
    ]
    above = f"<caption>{_escaped(caption)}</caption>\n" if caption else ""
    lines = "\n".join(f"<tr>{''.join(row)}</tr>" for row in [head, *rows])
    # The classes keep MathJax from taking what stands between dollar signs for a formula.
    return f'<table class="tex2jax_ignore mathjax_ignore">\n{above}{lines}\n</table>'


def as_page(table: pd.DataFrame, *, title: str) -> str:
    """
    Write a table as a page of its own.

    Parameters
    ----------
    table : pandas.DataFrame
        As for `as_html`, which makes the table.
    title : str
        Title and caption.

    Returns
    -------
    str
        A whole document of HTML, in which nothing is loaded or run.
    """
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{_escaped(title)}</title>",
            "<style>td, th { padding: 0.3em; text-align: left; vertical-align: top; }</style>",
            f"</head><body>\n{as_html(table, caption=title)}\n</body></html>\n",
        ]
    )


def _cell(tag: str, value: object) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return f"<{tag}></{tag}>"
    text = f"{value:.2f}" if isinstance(value, float) else value
    return f"<{tag}>{_escaped(text)}</{tag}>"


def _escaped(text: object) -> str:
    return html.escape(visible(text))
