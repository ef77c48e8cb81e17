import pytest
from interpretation.serving import serving


@pytest.fixture
def server(monkeypatch):
    # Where a proxy is set for the world, this machine is none of it.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as running:
        yield running
