"""Is what is committed what the code makes? `lock` and `results` compare here, `clone` runs it.

`python -m cohortlab.verify lock` needs no run: it asks whether any dependency or parameter that
`dvc.lock` records differs from the committed file. `results` compares all that a Git revision holds
of results and reports with the working tree. `clone` puts the revision into an empty folder, sets
it up, runs everything, and compares the same.
"""

import argparse
import logging
import subprocess
import sys
from pathlib import Path

from dvc.exceptions import DvcException

from cohortlab.run.project import ParameterError, project_root
from cohortlab.verify.clone import differences_in_a_clone
from cohortlab.verify.committed import changed_results
from cohortlab.verify.lock import stale_stages

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
        0 where all agrees, 1 where something is stale, 2 where it could not be found out.
    """
    options = _options(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        found, agreed = _find(project_root(), options)
    except (subprocess.CalledProcessError, ParameterError, DvcException, OSError) as error:
        said = (getattr(error, "stderr", None) or b"").decode().strip()
        logger.error("%s", "\n".join(part for part in (str(error), said) if part))
        return 2
    for line in found:
        logger.error("%s", line)
    logger.info("%s: %s", options.what, f"{len(found)} stale" if found else agreed)
    return 1 if found else 0


def _find(root: Path, options: argparse.Namespace) -> tuple[list, str]:
    if options.what == "lock":
        return stale_stages(root), "as committed"
    if options.what == "results":
        verdict = changed_results(root, options.revision)
    else:
        verdict = differences_in_a_clone(
            root,
            options.revision,
            studies=options.study,
            set_up=not options.no_setup,
            into=options.into,
        )
    logger.info("Compared %s.", verdict.how)
    return verdict.differences, f"as committed, {verdict.how}"


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cohortlab.verify", description=__doc__)
    parser.add_argument("what", choices=["lock", "results", "clone"])
    parser.add_argument("--revision", default="HEAD", help="what is compared with, or cloned")
    parser.add_argument(
        "--study", action="append", default=[], help="clone: only this one; may be given again"
    )
    parser.add_argument(
        "--no-setup", action="store_true", help="clone: run with this environment, make none"
    )
    parser.add_argument("--into", type=Path, help="clone: an empty folder, which stays")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
