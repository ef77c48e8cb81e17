"""The bipartite laboratory: which algorithm finds a planted truth, and when none can."""

from cohortlab.laboratory.finders import FINDERS, estimate_n_clusters, find_clusters
from cohortlab.laboratory.grid import Condition, conditions, run_grid
from cohortlab.laboratory.paragraph import CASE, case_table, paragraph
from cohortlab.laboratory.phases import advice, effects, leaderboard, phase_table
from cohortlab.laboratory.trial import DESIGN, run_trial

__all__ = [
    "CASE",
    "DESIGN",
    "FINDERS",
    "Condition",
    "advice",
    "case_table",
    "conditions",
    "effects",
    "estimate_n_clusters",
    "find_clusters",
    "leaderboard",
    "paragraph",
    "phase_table",
    "run_grid",
    "run_trial",
]
