"""What every notebook uses: its results, its seeds, and how it looks."""

from cohortlab.notebook.lineage import show_lineage
from cohortlab.notebook.look import (
    counted,
    escape_markdown,
    hint,
    named_shares,
    say,
    setup,
    show_table,
    terminal,
    thousands,
)
from cohortlab.notebook.results import Results
from cohortlab.notebook.seeds import derive_rng, derive_seed

__all__ = [
    "Results",
    "counted",
    "derive_rng",
    "derive_seed",
    "escape_markdown",
    "hint",
    "named_shares",
    "say",
    "setup",
    "show_lineage",
    "show_table",
    "terminal",
    "thousands",
]
