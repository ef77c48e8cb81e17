"""Make text harmless to programs that take some of it for a formula."""

import re

import pandas as pd

# PostgreSQL stores every letter but this one, and many programs end a text there.
NUL, VISIBLE_NUL = "\0", "\N{SYMBOL FOR NULL}"
# A spreadsheet runs what begins with one of these; the last four are the wide forms of East Asian
# keyboards. Which sign parts fields depends on the reader's country, so text after each counts as
# a beginning too.
_BEGINNING = re.compile(r"(^|[,;|\t\r\n\"])([^\S\t\r\n]*)(?=[=+\-@\t\r＝＋－＠])")


def harmless_text(text: str) -> str:
    """
    Put an apostrophe before whatever a spreadsheet would run as a formula, and U+2400 for NUL.

    Parameters
    ----------
    text : str
        What is to stand in a cell.

    Returns
    -------
    str
        The text, changed where it has to be.

    References
    ----------
    OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection

    Examples
    --------
    >>> [harmless_text(text) for text in ("=1+1", "A-1", "a;@b")]
    ["'=1+1", 'A-1', "a;'@b"]
    """
    return _BEGINNING.sub(r"\1\2'", text.replace(NUL, VISIBLE_NUL))


def harmless_in_sheets(table: pd.DataFrame) -> pd.DataFrame:
    """
    Make all text of a table harmless by `harmless_text`.

    Parameters
    ----------
    table : pandas.DataFrame
        A table to be exported. Numbers are left alone, negative ones too.

    Returns
    -------
    pandas.DataFrame
        A copy with its columns of text changed.
    """
    text = table.select_dtypes(["str", "object"])
    safe = text.map(lambda value: harmless_text(value) if isinstance(value, str) else value)
    return table.assign(**safe.astype(text.dtypes))
