"""The steps of whole studies start warm, as in `make repro`."""

import pytest

from cohortlab.run.warm import warm_server


@pytest.fixture(scope="session", autouse=True)
def warm():
    with warm_server() as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
