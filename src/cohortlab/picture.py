"""The picture of the README, taken from an executed notebook: `python -m cohortlab.picture`."""

from pathlib import Path

import nbformat

from cohortlab.run.executed import describe_cell
from cohortlab.run.project import project_root

NOTEBOOK, CELL = "reports/sessions/bipartite.ipynb", "draw_graph"
PICTURE = "docs/picture.svg"


def picture(root: Path) -> str:
    """Find the graph of groups of people and groups of items.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.

    Returns
    -------
    str
        An SVG picture, as it stands in the executed notebook.

    Raises
    ------
    LookupError
        If the notebook has no such picture.
    """
    for cell in nbformat.read(root / NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code" and describe_cell(cell.source) == CELL:
            for output in cell.outputs:
                if "image/svg+xml" in output.get("data", {}):
                    return output["data"]["image/svg+xml"].strip() + "\n"
    raise LookupError(f"no SVG picture in cell `{CELL}` of {NOTEBOOK}: run `make repro` first")


def main() -> int:
    """Write the picture.

    Returns
    -------
    int
        0.
    """
    root = project_root()
    (root / PICTURE).write_text(picture(root), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
