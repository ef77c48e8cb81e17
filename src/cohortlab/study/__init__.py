"""Studies from short examples: added to `params.yaml` whole, and taken out again."""

from cohortlab.study.example import Example, read_example
from cohortlab.study.params_file import add_study, remove_study

__all__ = ["Example", "add_study", "read_example", "remove_study"]
