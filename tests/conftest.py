"""Fixtures that several test modules share."""

from pathlib import Path

import nbformat
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def executed_notebooks():
    """List the executed notebooks, without what a failed step has left."""
    found = sorted((REPOSITORY / "reports").glob("*/*.ipynb"))
    return [path for path in found if not path.name.endswith(".failed.ipynb")]


@pytest.fixture
def make_project(tmp_path):
    """Make a project of one study `toy` and one step `count` from the sources of its cells."""

    def make(*cells: str, params: str = "seed: 1\nstudies: {toy: {log: events, count: {n: 3}}}\n"):
        declaration = nbformat.v4.new_code_cell(
            'study: str = "toy"\nseed: int = 1\nn: int = 3', metadata={"tags": ["parameters"]}
        )
        code = [nbformat.v4.new_code_cell(source) for source in cells]
        notebook = nbformat.v4.new_notebook(cells=[declaration, *code])
        notebook.metadata.kernelspec = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        nbformat.write(notebook, tmp_path / "notebooks" / "count.ipynb")
        (tmp_path / "params.yaml").write_text(params)
        (tmp_path / "dvc.yaml").write_text("stages: {}\n")
        return tmp_path

    return make


@pytest.fixture
def server(monkeypatch):
    """Run a model's server on this machine during a test."""
    from serving import serving

    # Where a proxy is set for the world, this machine is none of it.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as running:
        yield running


@pytest.fixture(scope="session")
def postgres_server():
    """Run a PostgreSQL server during the tests; the port it listens on."""
    pytest.importorskip("psycopg", reason="pip install 'cohortlab[postgres]'")
    import postgres

    with postgres.server() as port:
        yield port


@pytest.fixture
def postgres_url(postgres_server, request):
    """Make an empty database for one test; its URL."""
    import postgres
    import psycopg

    name = f"test_{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(
        postgres.URL.format(port=postgres_server, database="postgres"), autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.URL.format(port=postgres_server, database=name)
