"""Score new rows by what a study has fitted: `python -m cohortlab.score STUDY INPUT OUTPUT`.

Customers are assigned to its clusters and named segments, flows are scored by its detector.
"""

import argparse
import logging
import sys
from pathlib import Path

from cohortlab.run.project import project_root
from cohortlab.score.bundle import Bundle
from cohortlab.score.detector import DetectorBundle
from cohortlab.score.storage import load_bundle
from cohortlab.score.stream import score_file

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
        0 where the output was written, 2 where the bundle or the input was refused.
    """
    parser = argparse.ArgumentParser(prog="python -m cohortlab.score", description=__doc__)
    parser.add_argument("study", help="which study, for instance `customers`")
    parser.add_argument("input", type=Path, help="new rows: .csv, .csv.gz, .parquet")
    parser.add_argument("output", type=Path, help="what is said of them: .csv or .parquet")
    parser.add_argument("--bundle", type=Path, help="instead of results/STUDY/bundle")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        folder = options.bundle or project_root() / "results" / options.study / "bundle"
        bundle = load_bundle(folder, study=options.study, kinds=(Bundle, DetectorBundle))
        totals = score_file(bundle, options.input, options.output)
    except (ValueError, OSError) as error:
        logger.error("%s", error)
        return 2
    logger.info("%s", bundle.summary(totals))
    return 0


if __name__ == "__main__":
    sys.exit(main())
