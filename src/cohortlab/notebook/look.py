"""What every notebook sets up first: one look, one number format, the same bytes every time."""

import hashlib
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TextIO

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from IPython import get_ipython
from IPython.display import Markdown, display
from matplotlib.figure import Figure

from cohortlab.notebook.rendering import PALETTE_COLOURS, SCREEN_DPI, compact_html, palette_png
from cohortlab.run.project import SAID_VARIABLE
from cohortlab.threads import one_thread


def setup(
    study: str, question: str, *, colours: int = PALETTE_COLOURS, true_colours: bool = False
) -> None:
    """Prepare a notebook's figures, tables and sums, and show which study it serves.

    Figures become PNG pictures with a palette, a quarter of the usual size; tables keep no more
    markup than they need. Linear algebra runs on one thread, because sums added in another order
    differ in their last digits.

    Parameters
    ----------
    study, question : str
        As in `params.yaml`: a step serves several studies, and this copy of it one.
    colours : int
        Of every figure, at most 256: fewer make a smaller file, for notebooks of many figures.
    true_colours : bool, default False
        Whether every figure gets all of `colours`, for notebooks that are about colours.

    Returns
    -------
    None
    """
    sns.set_theme(style="whitegrid", context="notebook", palette="colorblind")
    plt.rcParams.update(
        {"figure.dpi": SCREEN_DPI, "figure.figsize": (7.0, 4.0), "axes.titlesize": "medium"}
    )
    pd.set_option("display.max_rows", 60, "display.max_columns", 20, "display.width", 110)
    pd.set_option("display.precision", 4, "display.max_colwidth", 70)
    # A name with two dollar signs is a name, no formula.
    pd.set_option("display.html.use_mathjax", False)
    one_thread()
    shell = get_ipython()
    if shell is not None:
        shell.run_line_magic("matplotlib", "inline")
        formatters = shell.display_formatter.formatters
        sizes = {"colours": colours} | ({"fewest": colours} if true_colours else {})
        formatters["image/png"].for_type(Figure, partial(palette_png, **sizes))
        formatters["text/html"].for_type(pd.DataFrame, compact_html)
        say(f"**Study {escape_markdown(study)}**: {escape_markdown(question)}")


def say(text: str) -> None:
    """Show a sentence, computed numbers and all, as Markdown.

    Parameters
    ----------
    text : str
        Markdown. Text that comes from data goes through `escape_markdown` first.

    Returns
    -------
    None
    """
    display(Markdown(text))


def show_table(table: pd.DataFrame, otherwise: str) -> None:
    """Show a table; where it has no row, a sentence in its place.

    Parameters
    ----------
    table : pandas.DataFrame
        What to show.
    otherwise : str
        Markdown, as for `say`.

    Returns
    -------
    None
    """
    if len(table):
        display(table)
    else:
        say(otherwise)


def escape_markdown(text: object) -> str:
    r"""Make text from the data safe to show: no markup in it is ever rendered.

    Parameters
    ----------
    text : object
        Anything with a string form.

    Returns
    -------
    str
        The text with every character that Markdown or HTML could act on escaped.

    Examples
    --------
    >>> print(escape_markdown("<b>*tea*</b>"))
    &lt;b&gt;\*tea\*&lt;/b&gt;
    """
    escaped = str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+!|~$" else letter for letter in escaped)


def named_shares(shares: Mapping[str, float], *, most: int = 12) -> str:
    """Write groups with their shares of all, for sentences.

    Parameters
    ----------
    shares : pandas.Series or mapping of str to float
        Share in [0, 1] by the group's name, which may come from data.
    most : int, default 12
        So many are named, the largest first; how many there are besides is told.

    Returns
    -------
    str
        Markdown, the names escaped.

    Examples
    --------
    >>> named_shares({"rare": 0.04, "usual": 0.9, "odd": 0.06}, most=2)
    '**usual** (90%), **odd** (6%) and 1 more'
    """
    ordered = sorted(shares.items(), key=lambda pair: -pair[1])
    named = [f"**{escape_markdown(name)}** ({share:.0%})" for name, share in ordered[:most]]
    return ", ".join(named) + (f" and {len(ordered) - most} more" if len(ordered) > most else "")


def terminal() -> TextIO | None:
    """Find the terminal that the pipeline or JupyterLab runs in, to show progress there.

    A notebook's own error stream becomes part of the notebook, and a bar's times differ from run
    to run.

    Returns
    -------
    text stream or None
        None where nobody watches: the error stream goes to no terminal.
    """
    # What a kernel's error stream was before the kernel took it.
    copy = getattr(sys.stderr, "_original_stdstream_copy", None)
    if copy is None or not os.isatty(copy):
        return None
    return os.fdopen(os.dup(copy), "w", buffering=1)


def hint(message: str) -> None:
    """Tell who runs the notebook what is no part of its report, such as a program to install.

    Parameters
    ----------
    message : str
        Goes to the terminal that `terminal` finds, or nowhere; an empty one never goes anywhere.

    Returns
    -------
    None
    """
    stream = terminal() if message else None
    if stream is not None:
        with stream:
            if _first_time(message):
                stream.write(f"\n{message}\n")


def _first_time(message: str) -> bool:
    """Say whether no notebook of the same run of all studies has told this before."""
    folder = os.environ.get(SAID_VARIABLE)
    if not folder:
        return True
    try:
        (Path(folder) / hashlib.sha256(message.encode()).hexdigest()).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Write a count with what is counted, for sentences.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        One of them.
    plural : str, optional
        Several of them; the noun with an s where it is not given.

    Returns
    -------
    str
        With separators, in the singular where it is one.

    Examples
    --------
    >>> counted(1, "feature"), counted(2500, "row"), counted(0, "person", "people")
    ('1 feature', '2,500 rows', '0 people')
    """
    return f"{thousands(number)} {noun if number == 1 else plural or noun + 's'}"


def thousands(number: float) -> str:
    """Write a number with separators, for sentences.

    Parameters
    ----------
    number : float
        A count or an amount; shown rounded to the unit.

    Returns
    -------
    str
        For instance `12,345`.

    Examples
    --------
    >>> thousands(12345.4)
    '12,345'
    """
    return f"{round(number):,}"
