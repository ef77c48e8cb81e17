"""Users whose types are known, made once for all tests."""

import pandas as pd
import pytest
from visits import planted

from cohortlab.browsing import engineered_features, sentences


@pytest.fixture(scope="session", params=[1, 2, 3])
def users(request):
    """Types of users, and their sequences as sentences and as numbers."""
    visits, types, categories = planted(request.param)
    return types, sentences(visits), engineered_features(visits, categories=categories)


@pytest.fixture(scope="session")
def told():
    """Give three sentences of two users."""
    texts = [
        "Monday 14:15, Visits: a.de (3s) -> b.de (9s)",
        "Monday 20:00, Visits: a.de (3s)",
        "Sunday 20:30, Visits: my-shop.co.uk (100s) -> ... -> localhost (1s)",
    ]
    index = pd.MultiIndex.from_tuples([(1, 1), (1, 2), (2, 1)])
    return pd.Series(texts, index=index, name="sentence", dtype="str")
