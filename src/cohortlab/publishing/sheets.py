"""Make text harmless to programs that take some of it for a formula."""

import pandas as pd

# PostgreSQL stores every letter but this one, and many programs end a text there.
NUL, VISIBLE_NUL = "\0", "\N{SYMBOL FOR NULL}"
# A spreadsheet runs what begins with one of these; the last four are the wide forms of East Asian
# keyboards. Which sign parts fields depends on the reader's country, so text after each counts as
# a beginning too.
_BEGINNING = r"(^|[,;|\t\r\n\"])([^\S\t\r\n]*)(?=[=+\-@\t\r＝＋－＠])"


def harmless_in_sheets(table: pd.DataFrame) -> pd.DataFrame:
    """
    Put an apostrophe before whatever a spreadsheet would run as a formula, and U+2400 for NUL.

    Parameters
    ----------
    table : pandas.DataFrame
        A table to be exported. Numbers are left alone, negative ones too.

    Returns
    -------
    pandas.DataFrame
        A copy with its columns of text changed.

    References
    ----------
    OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection

    Examples
    --------
    >>> import pandas as pd
    >>> harmless_in_sheets(pd.DataFrame({"name": ["=1+1", "A-1", "a;@b"]}))["name"].tolist()
    ["'=1+1", 'A-1', "a;'@b"]
    """
    text = table.select_dtypes(["str", "object"]).columns
    safe = table[text].apply(lambda column: column.str.replace(NUL, VISIBLE_NUL, regex=False))
    return table.assign(**safe.apply(lambda c: c.str.replace(_BEGINNING, r"\1\2'", regex=True)))
