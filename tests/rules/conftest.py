import pytest
from rules.making import groceries as read_groceries


@pytest.fixture(scope="session")
def groceries():
    return read_groceries()
