"""Small tables that several tests of the segments use."""

import numpy as np
import pandas as pd

from cohortlab.run.project import read_params


def random_rfm(seed, n_customers=400):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "recency": rng.integers(1, 374, n_customers),
            "frequency": 1 + rng.geometric(0.3, n_customers),
            "monetary": np.round(rng.lognormal(6, 1.2, n_customers), 2),
        },
        index=pd.Index(np.arange(100, 100 + n_customers), name="customer_id"),
    )


def rfm_of(recency, frequency, monetary):
    return pd.DataFrame({"recency": recency, "frequency": frequency, "monetary": monetary})


def default_block(root):
    return read_params(root)["studies"]["customers"]["segments"]["segments"]
