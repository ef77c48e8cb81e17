"""Which column of a file is which of ours."""

from collections.abc import Collection, Mapping

from cohortlab.sources.errors import SourceError
from cohortlab.sources.files import Place


def column_names(
    columns: Mapping[str, str] | None, defaults: Mapping[str, str], *, place: Place
) -> dict[str, str]:
    """
    Complete a column mapping with the names of the original form.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Our column name to the name in the file, for the columns named otherwise.
    defaults : mapping of str to str
        Every column of ours and its name in the original form.
    place : Place
        Where the mapping stands in ``params.yaml``, for the message.

    Returns
    -------
    dict of str to str
        Every column of ours and its name in the file, in the order of `defaults`.

    Raises
    ------
    SourceError
        If it is no mapping, a key is no column of ours or a name is not text.

    Examples
    --------
    >>> column_names({"country": "Land"}, {"country": "Country"}, place=Place())
    {'country': 'Land'}
    """
    given, key = columns or {}, place.key("columns")
    if not isinstance(given, Mapping):
        raise SourceError(
            f"{key} must be a mapping of our columns to those of the file, such as "
            f"{{{next(iter(defaults))}: Name}}, but is {given!r}."
        )
    for ours, theirs in given.items():
        if ours not in defaults:
            raise SourceError(f"{key}.{ours} is no column. Known are: {', '.join(defaults)}.")
        if not isinstance(theirs, str) or not theirs.strip():
            raise SourceError(f"{key}.{ours} must be the name of a column, but is {theirs!r}.")
    return {ours: given.get(ours, theirs) for ours, theirs in defaults.items()}


def columns_there(
    columns: Mapping[str, str | None],
    defaults: Mapping[str, str],
    *,
    required: Collection[str],
    present: Collection[str],
    place: Place,
) -> dict[str, str]:
    """
    Complete a column mapping of a file that may lack some of our columns.

    Parameters
    ----------
    columns, defaults, place
        As for `column_names`; None as a name says that the file has no such column.
    required : collection of str
        Columns of ours that every file has.
    present : collection of str
        The names in the file.

    Returns
    -------
    dict of str to str
        The columns of ours that are required, named in `columns`, or there under their usual names.

    Raises
    ------
    SourceError
        As for `column_names`, and where a required column has the name None.

    Examples
    --------
    >>> usual = {"basket": "basket", "item": "item", "time": "time"}
    >>> columns_there({"item": "what"}, usual, required=["basket"], present=["time"], place=Place())
    {'basket': 'basket', 'item': 'what', 'time': 'time'}
    """
    unused = {ours for ours, theirs in columns.items() if theirs is None} - {*required}
    own = {ours: theirs for ours, theirs in columns.items() if ours not in unused}
    return {
        ours: theirs
        for ours, theirs in column_names(own, defaults, place=place).items()
        if ours in required or ours in own or (ours not in unused and theirs in present)
    }
