from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from cohortlab.features.events import session_features, sessionise
from cohortlab.scaling import Scaling
from cohortlab.sources import read_events
from cohortlab.synthetic import generate_event_log

DATA = Path(__file__).parent / "data"
PARAMETERS = Path(__file__).resolve().parents[2] / "params.yaml"
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


@pytest.fixture(scope="session")
def sessions(tmp_path_factory) -> np.ndarray:
    """Generate a log, find its sessions, and scale their twelve features as the pipeline does."""
    block = YAML(typ="safe").load(PARAMETERS)["studies"]["sessions"]
    settings = {**block["data"]["synthetic"], "n_visitors": 500}
    folder = tmp_path_factory.mktemp("sessions")
    generate_event_log(folder, folder / "truth", rng=np.random.default_rng(0), **settings)
    names = ("events", "item_properties*", "category_tree")
    path = {name.rstrip("*"): str(folder / f"{name}.csv") for name in names}
    scratch = tmp_path_factory.mktemp("scratch")
    log = read_events(path, cleaning=block["data"]["cleaning"], scratch=scratch)
    found = sessionise(log.tables["events"], gap_sec=block["features"]["gap_sec"])
    features = session_features(found, log.tables["item_properties"]).to_pandas()
    return Scaling("log1p_standard").fit_transform(features.drop(columns="session_id"))
