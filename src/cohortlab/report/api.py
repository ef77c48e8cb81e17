"""Pages of the API: one for each subject of the package, from the sources, with nothing imported.

So a page needs no optional library, and a decorated function looks as it was written.
"""

import ast
import inspect
from pathlib import Path

from sphinx.ext.napoleon import Config, NumpyDocstring

# Types as words: as fields, each word of them would be looked for among the pages.
STYLE = Config(
    napoleon_use_param=False,
    napoleon_use_keyword=False,
    napoleon_use_rtype=False,
    napoleon_use_ivar=True,
)
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def write_pages(package: Path, folder: Path) -> None:
    """Write a page for each subject, and one that lists them.

    Parameters
    ----------
    package : pathlib.Path
        Folder of the package.
    folder : pathlib.Path
        Where to; it is made.

    Returns
    -------
    None
    """
    folder.mkdir(parents=True)
    listed = ""
    for subject, files in subjects(package).items():
        text = "".join(module_section(path, package) for path in files)
        (folder / f"{subject}.rst").write_text(text, encoding="utf-8")
        listed += f"   {subject}\n"
    head = "API\n===\n\nWhat ``cohortlab`` offers for import, by subject.\n"
    toctree = f"\n.. toctree::\n   :maxdepth: 1\n\n{listed}"
    (folder / "index.rst").write_text(head + toctree, encoding="utf-8")


def subjects(package: Path) -> dict[str, list[Path]]:
    """List the modules of the package by subject.

    Parameters
    ----------
    package : pathlib.Path
        Its folder.

    Returns
    -------
    dict of str to list of pathlib.Path
        By the name of the module or folder right below the package; a folder's own module first.
        Modules that are run and not imported are left out.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(
        package.rglob("*.py"), key=lambda p: p.as_posix().replace("__init__.py", "")
    ):
        inside = path.relative_to(package)
        if inside.name != "__main__.py" and inside.as_posix() != "__init__.py":
            found.setdefault(inside.parts[0].removesuffix(".py"), []).append(path)
    return found


def module_section(path: Path, package: Path) -> str:
    """Write what a module says of itself, of its functions and of its classes.

    Parameters
    ----------
    path, package : pathlib.Path
        The module's file, and the folder of the package.

    Returns
    -------
    str
        reStructuredText.
    """
    parts = path.relative_to(package).with_suffix("").parts
    names = parts[:-1] if parts[-1] == "__init__" else parts
    title = ".".join(names)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    text = f"{title}\n{('=' if len(names) == 1 else '-') * len(title)}\n\n"
    text += f".. py:module:: {package.name}.{title}\n\n{_docstring(tree)}\n\n"
    return text + "".join(_entry(node) for node in _public(tree))


def _public(tree: ast.Module | ast.ClassDef) -> list[Documented]:
    found = [node for node in tree.body if isinstance(node, Documented)]
    return [node for node in found if not node.name.startswith("_") and ast.get_docstring(node)]


def _entry(node: Documented, *, kind: str | None = None) -> str:
    if isinstance(node, ast.ClassDef):
        start = next((f for f in node.body if getattr(f, "name", "") == "__init__"), None)
        signature = _arguments(start, skip=1) if start else ""
        body = _docstring(node) + "\n\n"
        body += "".join(_entry(method, kind="method") for method in _public(node))
        return _directive("class", node.name + signature, body)
    decorators = {ast.unparse(d) for d in node.decorator_list}
    if decorators & {"property", "cached_property"}:
        return _directive("property", node.name, _docstring(node))
    bound = kind == "method" and "staticmethod" not in decorators
    signature = node.name + _arguments(node, skip=int(bound))
    return _directive(kind or "function", signature, _docstring(node))


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef, *, skip: int) -> str:
    """Write the arguments without types, which the docstring tells in words."""
    given = node.args
    for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if argument:
            argument.annotation = None
    if skip:
        (given.posonlyargs or given.args).pop(0)
    return f"({ast.unparse(given)})"


def _docstring(node: ast.Module | Documented) -> str:
    return str(NumpyDocstring(inspect.cleandoc(ast.get_docstring(node) or ""), STYLE))


def _directive(kind: str, signature: str, body: str) -> str:
    inside = "".join(f"   {line}".rstrip() + "\n" for line in body.splitlines())
    return f".. py:{kind}:: {signature}\n\n{inside}\n"
