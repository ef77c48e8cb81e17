"""What holds the project's files together: stages, notebooks, parameters, versions, words."""

import ast
import re
import subprocess
import tomllib

import nbformat
import pytest
from conftest import REPOSITORY, executed_notebooks
from ruamel.yaml import YAML

from cohortlab.run.parameters import declared_parameters, resolve
from cohortlab.run.project import read_params
from cohortlab.run.ranges import RANGES

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
PARAMS = read_params(REPOSITORY)
# The complete example serves the notebooks of its kind of log as their default study.
COMPLETE = YAML(typ="safe", pure=True).load((REPOSITORY / "examples" / "baskets.yaml").read_text())
STAGES = YAML(typ="safe").load((REPOSITORY / "dvc.yaml").read_text())["stages"]
SOURCE = REPOSITORY / "src" / "cohortlab"
# The parts of the package that a stage depends on as a whole: folders, but for the figures, of
# which each step has its own module.
PACKAGES = sorted(p.parent.name for p in SOURCE.glob("*/__init__.py") if p.parent.name != "plots")

notebooks = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)


def code_cells(path):
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


@notebooks
def test_source_notebooks_carry_no_outputs(path):
    assert all(not c.outputs and c.execution_count is None for c in code_cells(path))
    assert set(nbformat.read(path, as_version=4).metadata) <= {"kernelspec", "language_info"}


@notebooks
def test_notebooks_are_short_and_named_cell_by_cell(path):
    cells = nbformat.read(path, as_version=4).cells
    assert len(cells) <= 40
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    for cell in code_cells(path)[1:]:
        assert cell.source.startswith("# papermill_description="), cell.source[:60]
        assert cell.source.count("\n") < 20, cell.source[:60]
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef), f"move {node.name} to src"


@notebooks
def test_a_notebook_ends_with_what_made_it(path):
    assert code_cells(path)[-1].source == "# papermill_description=lineage\nshow_lineage(results)"


@notebooks
def test_every_parameter_has_a_comment(path):
    (cell,) = [c for c in code_cells(path) if "parameters" in c.metadata.get("tags", [])]
    statements = ast.parse(cell.source).body
    lines = cell.source.splitlines()
    for s in statements:
        beside, above = lines[s.lineno - 1 : s.end_lineno], lines[max(s.lineno - 2, 0)]
        assert any("#" in line for line in beside) or above.startswith("#"), ast.unparse(s)


@notebooks
def test_the_parameters_cell_holds_the_values_of_its_study(path):
    declared = declared_parameters(path)
    step = path.stem.split("_")[0]
    params = PARAMS | {"studies": PARAMS["studies"] | {COMPLETE["study"]: COMPLETE}}
    values = resolve(params, step, declared["study"].default, declared)
    # Compared as they are written: 10 and 10.0 are equal, and a table shows them differently.
    assert {k: repr(v) for k, v in values.items()} == {
        k: repr(p.default) for k, p in declared.items()
    }


def stated_ranges(study):
    """Return the ranges that comments of parameters end in, as intervals by step and name."""
    step, stated = None, {}
    range_ = (
        r"[;,] (?:each )?(?:(from|above) ([\d.]+)|([\d.]+) to ([\d.]+)|(\(.*[\])]))(?:[,;] .*)?$"
    )
    text = (REPOSITORY / "params.yaml").read_text()
    for line in text.split(f"\n  {study}:")[1].split("\n  # ---")[0].splitlines():
        step = found[1] if (found := re.match(r"    (\w+):", line)) else step
        parameter = re.match(r"      (\w+): [^#]*#(.*)", line)
        if parameter and (words := re.search(range_, parameter[2])):
            word, low, first, last, interval = words.groups()
            one_sided = low and f"{'[' if word == 'from' else '('}{low}, inf)"
            stated[step, parameter[1]] = interval or one_sided or f"[{first}, {last}]"
    return stated


@pytest.mark.parametrize("study", PARAMS["studies"])
def test_the_ranges_that_comments_state_are_those_that_hold(study):
    held = {
        (step, name): interval
        for step, ranges in RANGES.items()
        for name, interval in ranges.items()
        if name in (PARAMS["studies"][study].get(step) or {})
    }
    assert stated_ranges(study) == held


def stages():
    for step, stage in STAGES.items():
        foreach = stage["foreach"]
        names = PARAMS["studies"] if foreach == "${studies}" else PARAMS["steps"][step]
        for study in names:
            yield pytest.param(step, study, id=f"{step}@{study}")


def of_study(text, study):
    log = PARAMS["studies"][study]["log"]
    return text.replace("${key}", study).replace("${item.log}", log).replace("${item}", study)


@pytest.mark.parametrize(("step", "study"), list(stages()))
def test_every_stage_finds_its_parameters(step, study):
    (notebook,) = [
        of_study(d, study) for d in STAGES[step]["do"]["deps"] if d.startswith("notebooks/")
    ]
    declared = declared_parameters(REPOSITORY / notebook)
    values = resolve(PARAMS, step, study, declared)
    assert values.keys() == declared.keys()
    assert values["study"] == study


def imported_files(tree):
    """Return the files of the package that a syntax tree imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cohortlab"):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("cohortlab.")]
        else:
            continue
        for name in names:
            path = SOURCE.parent / name.replace(".", "/")
            if path.with_suffix(".py").is_file():
                yield path.with_suffix(".py")
            elif (path / "__init__.py").is_file():
                yield path / "__init__.py"


def closure(notebook):
    """Return what a notebook imports of the package, directly or not, as stage dependencies."""
    todo = [f for c in code_cells(notebook) for f in imported_files(ast.parse(c.source))]
    # The runner executes every notebook.
    todo += list((SOURCE / "run").glob("*.py"))
    seen = set()
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += imported_files(ast.parse(file.read_text()))
    names = {f.relative_to(REPOSITORY).as_posix() for f in seen}
    for package in PACKAGES:
        folder = f"src/cohortlab/{package}"
        if any(name.startswith(f"{folder}/") for name in names):
            names = {n for n in names if not n.startswith(f"{folder}/")} | {folder}
    return {n for n in names if not n.endswith("__init__.py")}


@pytest.mark.parametrize(("step", "study"), list(stages()))
def test_a_stage_depends_on_exactly_the_modules_that_its_notebook_imports(step, study):
    deps = [of_study(d, study) for d in STAGES[step]["do"]["deps"]]
    (notebook,) = [d for d in deps if d.startswith("notebooks/")]
    assert {d for d in deps if d.startswith("src/")} == closure(REPOSITORY / notebook)


@pytest.mark.parametrize(("step", "study"), list(stages()))
def test_a_stage_depends_on_exactly_the_results_that_its_notebook_reads(step, study):
    deps = {of_study(d, study) for d in STAGES[step]["do"]["deps"]}
    (notebook,) = [d for d in deps if d.startswith("notebooks/")]
    source = "\n".join(c.source for c in code_cells(REPOSITORY / notebook))
    read = {
        n.split("/")[0] for n in re.findall(r'results\.(?:read|table|path)\(\s*"([^"]+)"', source)
    }
    outputs = STAGES[step]["do"]
    own = {of_study(next(iter(o)), study) for k in ("outs", "metrics") for o in outputs.get(k, [])}
    prefix = f"results/{study}/"
    assert {d.removeprefix(prefix) for d in deps if d.startswith(prefix)} == {
        name for name in read if prefix + name not in own
    }


def test_lower_modules_do_not_import_higher_ones():
    order = [
        {"synthetic", "sources", "features", "schemas"},
        {"mixture", "scaling", "clusters", "profiles", "rules", "bipartite", "graphs", "recovery"},
        {"plots"},
        {"notebook", "run", "verify"},
    ]
    level = {name: i for i, names in enumerate(order) for name in names}
    for file in SOURCE.rglob("*.py"):
        own = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        for imported in imported_files(ast.parse(file.read_text())):
            other = imported.relative_to(SOURCE).parts[0].removesuffix(".py")
            if own in level and other in level:
                assert level[other] <= level[own], f"{file} imports {imported}"


def test_conda_and_pip_ask_for_the_same_versions():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["report"] + extras["dev"]
    conda = YAML(typ="safe").load((REPOSITORY / "environment.yml").read_text())["dependencies"]
    listed = [entry for entry in conda if isinstance(entry, str)]
    assert conda[-1] == {"pip": ["--editable .[postgres]"]}
    renamed = {
        "duckdb": "python-duckdb",
        "graphviz": "python-graphviz",
        "ibis-framework": "ibis-duckdb",
        "pandera": "pandera-pandas",
    }
    pip_only = {"uv", "editables"}
    expected = set()
    for requirement in wanted:
        name, version = re.fullmatch(r"([\w.-]+)(?:\[\w+\])?(>=.*)", requirement).groups()
        if name not in pip_only:
            expected.add(renamed.get(name, name) + version)
    assert {entry for entry in listed if not entry.startswith(("python>", "pip"))} == expected


def locked(name):
    """Split a lock into its entries, by package; a package may have several for several systems."""
    text = (REPOSITORY / name).read_text()
    return {e.split(" \\")[0]: e for e in re.split(r"\n(?=\S)", text.strip())}


@pytest.mark.parametrize(
    ("name", "at_least"), [("requirements.lock", 100), ("embeddings.lock", 50)]
)
def test_a_lock_has_a_hash_for_everything_and_no_address(name, at_least):
    lock = (REPOSITORY / name).read_text()
    assert "://" not in lock
    assert not re.search(r"^-", lock, flags=re.MULTILINE)
    assert len(locked(name)) > at_least
    assert all("--hash=sha256:" in entry for entry in locked(name).values())


def test_the_lock_of_the_extra_has_the_versions_of_the_main_lock():
    main, extra = (
        {pin.split(" ;")[0] for pin in locked(n)} for n in ("requirements.lock", "embeddings.lock")
    )
    names = {pin.split("==")[0] for pin in main}
    assert {pin for pin in extra if pin.split("==")[0] in names} <= main
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = {r.split(">=")[0] for r in project["optional-dependencies"]["embeddings"]}
    assert wanted <= {pin.split("==")[0] for pin in extra}
    assert not wanted & names


def test_make_help_lists_every_target():
    makefile = (REPOSITORY / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)", makefile, flags=re.MULTILINE)
    assert set(phony.split()) == set(re.findall(r"^(\w+):.*## ", makefile, flags=re.MULTILINE))


def make(*arguments):
    # The environment is there already: `-o setup` takes it for new enough.
    command = ["make", "-o", "setup", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_make_bench_lists_every_benchmark_and_runs_the_one_that_is_named():
    names = {path.stem for path in (REPOSITORY / "bench").glob("*.py")}
    listed = {line.split()[0] for line in make("bench").splitlines() if "." in line}
    assert names <= listed
    named = make("-n", "bench", "NAME=rules", "OPTIONS=--quick")
    assert "python bench/rules.py --quick" in named
    assert not [name for name in names - {"rules"} if f"bench/{name}.py" in named]


def test_executed_notebooks_are_small_whole_and_without_errors():
    executed = executed_notebooks()
    expected = {f"{study}/{step}.ipynb" for step, study in (p.values for p in stages())}
    assert {f"{p.parent.name}/{p.name}" for p in executed} == expected
    for path in executed:
        assert path.stat().st_size < 250_000, path
        for cell in code_cells(path):
            kinds = [output.output_type for output in cell.outputs]
            assert "error" not in kinds, path
            assert not [o for o in cell.outputs if o.get("name") == "stderr"], path
    assert sum(path.stat().st_size for path in executed) < 6_000_000


def test_the_readme_asks_the_questions_that_params_yaml_and_so_the_site_ask():
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+\?) \|", (REPOSITORY / "README.md").read_text(), re.M)
    assert rows == [(name, block["question"]) for name, block in PARAMS["studies"].items()]


PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_and_commands_of_the_pages_exist(page):
    text = page.read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / link).exists(), link
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)|`make (\w+)`", text, flags=re.MULTILINE):
        name = "".join(target)
        assert re.search(rf"^{name}:", makefile, flags=re.MULTILINE), name


def test_the_tree_in_the_readme_is_that_of_the_project():
    text = (REPOSITORY / "README.md").read_text()
    (tree,) = re.findall(r"## What is where\n\n```text\n(.*?)```", text, flags=re.DOTALL)
    folder = REPOSITORY
    for line in tree.splitlines():
        name = line.split()[0]
        inside = line.startswith("    ")
        path = (SOURCE if inside else folder) / name
        assert path.exists(), name
    listed = {line.split()[0].rstrip("/") for line in tree.splitlines() if line.startswith("    ")}
    present = {p.name for p in SOURCE.iterdir() if p.name not in ("__init__.py", "__pycache__")}
    assert listed == present


#: What need not say its arguments and its result in sections, by decorator or name, and why.
WITHOUT_SECTIONS = {
    "question": "a check of an exercise, whose notebook asks; more words would tell the answer",
    "intrinsic": "an instruction of the processor, called by compiled loops alone",
    "ibis.udf.scalar.builtin": "a function that the database has",
    "main": "a command line, which `--help` describes",
}


def public_functions():
    """Find functions of the package that other modules may call, each with its file."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                marks = {node.name, *(ast.unparse(d).split("(")[0] for d in node.decorator_list)}
                if not marks & WITHOUT_SECTIONS.keys():
                    yield path, node


def test_public_functions_say_their_arguments_and_their_result_in_sections():
    functions = list(public_functions())
    assert len(functions) > 500
    for path, node in functions:
        text, signature = ast.get_docstring(node) or "", node.args
        arguments = [*signature.posonlyargs, *signature.args, *signature.kwonlyargs]
        gives = [n.value for n in ast.walk(node) if isinstance(n, ast.Return | ast.Yield)]
        where = f"{path.relative_to(SOURCE)}: {node.name}"
        assert "Parameters\n---" in text or not arguments, where
        assert re.search("(Returns|Yields)\n---", text) or not any(gives), where
