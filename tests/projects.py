"""Projects to run small studies in."""

import shutil

from conftest import REPOSITORY
from ruamel.yaml import YAML


def make_project(folder, changes=()):
    """Copy what a run needs, without results, and change parameters by dotted key."""
    folder.mkdir()
    shutil.copytree(REPOSITORY / "notebooks", folder / "notebooks")
    shutil.copy(REPOSITORY / "dvc.yaml", folder)
    yaml = YAML()
    params = yaml.load((REPOSITORY / "params.yaml").read_text())
    for key, value in dict(changes).items():
        *parents, last = key.split(".")
        block = params
        for name in parents:
            block = block[name]
        assert last in block, key
        block[last] = value
    yaml.dump(params, folder / "params.yaml")
    return folder


def files_of(project):
    """Read every file but the database that is published to: it holds the times of its runs."""
    return {
        path.relative_to(project): path.read_bytes()
        for folder in ("results", "reports")
        for path in sorted((project / folder).rglob("*"))
        if path.is_file() and ".sqlite" not in path.name
    }
