"""Formulas as MathML, which browsers draw by themselves: no script, no font from elsewhere."""

from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml


def to_mathml(tex: str, *, block: bool = False) -> str:
    r"""Write a formula as MathML.

    Parameters
    ----------
    tex : str
        LaTeX, as between dollar signs.
    block : bool, default False
        On a line of its own.

    Returns
    -------
    str
        A `math` element.

    Raises
    ------
    ValueError
        If the formula uses what the converter does not know.

    Examples
    --------
    >>> to_mathml("x^2").replace("\n", "").replace(" ", "")[-40:]
    '<msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    try:
        return tex2mathml(tex, as_block=block)
    except MathError as problem:
        raise ValueError(f"Cannot write the formula `{tex}` as MathML: {problem}.") from problem
