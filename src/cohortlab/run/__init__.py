"""Running a step: its parameters, its notebook through papermill, its results put in place."""
