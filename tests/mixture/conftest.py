from pathlib import Path

import numpy as np
import pandas as pd
import pytest

DATA = Path(__file__).parent / "data"
REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / f"{name}.csv")


def read_reference(name: str) -> pd.DataFrame:
    """Read points that mclust was run on; they lie beside the project, not in it."""
    path = REFERENCE / f"{name}.csv"
    if not path.exists():
        pytest.skip(f"the reference points {name} are not here")
    return pd.read_csv(path)


@pytest.fixture(scope="session")
def faithful() -> pd.DataFrame:
    return read("faithful")


@pytest.fixture(scope="session")
def diabetes() -> pd.DataFrame:
    return read("diabetes")


@pytest.fixture(scope="session")
def ellipses() -> np.ndarray:
    return read_reference("ellipses2d")[["x1", "x2"]].to_numpy()


@pytest.fixture(scope="session")
def ellipses_labels() -> np.ndarray:
    return read_reference("ellipses2d")["initial_label"].to_numpy()
