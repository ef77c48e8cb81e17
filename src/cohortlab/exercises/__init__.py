"""Exercises: notebooks with gaps, made from their solutions, and checks that tell no answer.

Every step of the pipeline has a solution in `exercises/solutions`, a copy with gaps beside that
folder, and a module here with a check for each gap.
"""

from cohortlab.exercises.feedback import Feedback, question
from cohortlab.exercises.gaps import gapped, gaps_of, with_answer

__all__ = ["Feedback", "gapped", "gaps_of", "question", "with_answer"]
