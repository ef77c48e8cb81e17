import pytest
from score.making import customers, fitted

from cohortlab import score


@pytest.fixture(scope="module")
def bundle():
    return fitted(*customers())


@pytest.fixture
def folder(bundle, tmp_path):
    score.save_bundle(bundle, tmp_path)
    return tmp_path
