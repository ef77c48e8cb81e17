"""Build the site: `python -m cohortlab.report`, or `make report`."""

import argparse
import logging
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from cohortlab.report.extension import HANDIN
from cohortlab.report.handin import handin_page, report_settings
from cohortlab.report.pages import write_pages
from cohortlab.run.project import project_root, read_params

log = logging.getLogger("cohortlab.report")
BUILD = "build/report"


def build_site(root: Path, build: Path) -> int:
    """Write the pages and the single files, and build the site.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    build : pathlib.Path
        Where to: `pages` in it holds the sources, `site` the site.

    Returns
    -------
    int
        0 where all went well; a warning of Sphinx counts as a failure.
    """
    tree, site = build / "pages", build / "site"
    settings = report_settings(read_params(root))
    studies = write_pages(root, tree)
    options = ["-q", "-W", "--keep-going", "-d", str(build / "doctrees")]
    code = build_main([*options, "-c", str(root / "site"), str(tree), str(site)])
    (site / HANDIN).mkdir(parents=True, exist_ok=True)
    for study in studies:
        page = handin_page(study, settings, root)
        (site / HANDIN / f"{study.name}.html").write_text(page, encoding="utf-8", newline="\n")
    log.info("%d studies: open %s", len(studies), site / "index.html")
    return code


def main() -> int:
    """Build the site of this project.

    Returns
    -------
    int
        The exit status.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m cohortlab.report", description=__doc__)
    parser.add_argument("--out", type=Path, default=None, help=f"folder; {BUILD} by default")
    root = project_root()
    return build_site(root, (parser.parse_args().out or root / BUILD).resolve())


if __name__ == "__main__":
    sys.exit(main())
