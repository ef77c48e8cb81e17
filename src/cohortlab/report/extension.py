"""What Sphinx learns for the site: formulas as MathML, and the link to a study's single file."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole
from sphinx.writers.html5 import HTML5Translator

from cohortlab.report.mathml import to_mathml

HANDIN = "handin"  # folder of the single files, beside the pages


def setup(app: Sphinx) -> dict:
    """Register with Sphinx.

    Parameters
    ----------
    app : sphinx.application.Sphinx
        The builder.

    Returns
    -------
    dict
        That pages may be read and written side by side.
    """
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.add_role("study-report", StudyReport())
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(to_mathml(node.astext()))
    raise nodes.SkipNode


def _block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(f'<div class="math">{to_mathml(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


class StudyReport(SphinxRole):
    """A link, from the page of a study, to the file that holds all of it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Make the link.

        Returns
        -------
        tuple
            The node, and no message.
        """
        address = f"../../{HANDIN}/{self.text}.html"
        return [nodes.reference(self.rawtext, "One file to hand in", refuri=address)], []
