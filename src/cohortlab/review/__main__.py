"""Show what changed between two revisions: a page of HTML, and a summary in Markdown here.

The second revision is the working tree where none is named.
"""

import argparse
import logging
import subprocess
import sys
from pathlib import Path

from cohortlab.review import Snapshot, review, to_markdown, to_page
from cohortlab.run.project import project_root

logger = logging.getLogger("cohortlab")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 where a page was written, 2 where a revision is not known or the page cannot be written.
    """
    parser = argparse.ArgumentParser(prog="python -m cohortlab.review", description=__doc__)
    parser.add_argument("base", help="a branch, tag or commit: the state before")
    parser.add_argument("head", nargs="?", help="the state now; the working tree by default")
    parser.add_argument("--out", type=Path, default=Path("review.html"), help="the page's file")
    parser.add_argument("--tolerance", type=float, help="relative; 0 tells every difference")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        root = project_root()
        found = review(
            Snapshot(root, options.base),
            Snapshot(root, options.head or None),
            tolerance=options.tolerance,
        )
        options.out.write_text(to_page(found), encoding="utf-8")
    except (subprocess.CalledProcessError, OSError) as error:
        said = (getattr(error, "stderr", None) or b"").decode().strip()
        logger.error("%s", said or error)
        return 2
    sys.stdout.write(to_markdown(found))
    logger.info("The page: %s", options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
