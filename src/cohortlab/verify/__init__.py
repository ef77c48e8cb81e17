"""Is what is committed what the code makes? The lock, the results here, or a fresh clone."""

from cohortlab.verify.clone import differences_in_a_clone
from cohortlab.verify.committed import Verdict, changed_results, differing_files
from cohortlab.verify.executed import compare_notebooks
from cohortlab.verify.lock import stale_stages
from cohortlab.verify.values import Difference, compare_texts, tolerance_of

__all__ = [
    "Difference",
    "Verdict",
    "changed_results",
    "compare_notebooks",
    "compare_texts",
    "differences_in_a_clone",
    "differing_files",
    "stale_stages",
    "tolerance_of",
]
