"""Elements of a page, in which every text is escaped."""

import html

# Elements that hold nothing and have no end.
VOID = {"img", "meta"}


class Markup(str):
    """Text that is markup already; any other is escaped where it goes into an element."""


def element(tag: str, *children: object, **attributes: str) -> Markup:
    """Write an element.

    Parameters
    ----------
    tag : str
        Its name.
    *children : object
        Markup, or anything else with a string form, which is escaped.
    **attributes : str
        Escaped too; an underscore at the end of a name is left out, as in ``class_``, and any
        other is a hyphen.

    Returns
    -------
    Markup
        The element.

    Examples
    --------
    >>> element("td", "a < b", class_="number")
    '<td class="number">a &lt; b</td>'
    """
    told = "".join(f' {_attribute(k)}="{html.escape(v)}"' for k, v in attributes.items())
    end = "" if tag in VOID else f"</{tag}>"
    return Markup(f"<{tag}{told}>{join(*children)}{end}")


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def join(*children: object) -> Markup:
    """Put children beside each other, escaping those that are no markup.

    Parameters
    ----------
    *children : object
        Markup stays as it is; anything else is written as text.

    Returns
    -------
    Markup
        All of them.
    """
    return Markup("".join(c if isinstance(c, Markup) else html.escape(str(c)) for c in children))
