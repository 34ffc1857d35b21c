"""Makes docs/api.md from the docstrings of all that the three packages export. Reads sources, imports nothing of them.

python docs/make_api.py            # writes docs/api.md
python docs/make_api.py --check    # exit code 1 if the page is not what this would write
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api.md"
PACKAGES = {
    "audiosocket_sim": ROOT / "audiosocket_sim",
    "audiosocket_core": ROOT / "audiosocket_core",
    "audiosocket_server": ROOT / "server" / "audiosocket_server",
}
HEAD = """\
# API

All that may be imported from outside, with its docstrings: what stands here is kept, or changed with a word in the
changelog; everything else may change at any time. Made by `docs/make_api.py` (`make docs`); do not edit.

"""


@dataclass(frozen=True, slots=True)
class Definition:
    """A name's own node in its module, and what describes it: its docstring, or the string after an assignment."""

    node: ast.stmt
    text: str


def main() -> int:
    """Write the page, or compare it. Returns the exit code."""
    made = page()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


def page() -> str:
    """The whole page, as Markdown."""
    return HEAD + "\n".join(line for package in PACKAGES for line in _package(package)).rstrip() + "\n"


def public_names(package: str) -> list[str]:
    """What the package's `__all__` lists."""
    for node in _tree(package).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    raise ValueError(f"{package} has no __all__")


def definition(module: str, name: str) -> Definition:
    """Where the name is defined, through any number of modules that import it from another. Raises KeyError."""
    body = _tree(module).body
    for index, node in enumerate(body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return Definition(node, inspect.cleandoc(ast.get_docstring(node) or ""))
        if name in _assigned(node):
            return Definition(node, _string(body[index + 1]) if index + 1 < len(body) else "")
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) in (name, "*"):
                    return definition(node.module, name if alias.name == "*" else alias.name)
    raise KeyError(f"{module}: {name}")


def _package(package: str) -> Iterator[str]:
    yield f"## {package}\n\n{inspect.cleandoc(ast.get_docstring(_tree(package)) or '')}\n"
    for name in public_names(package):
        yield from _entry(name, definition(package, name))


def _entry(name: str, found: Definition) -> Iterator[str]:
    node = found.node
    match node:
        case ast.ClassDef():
            bases = [ast.unparse(base) for base in node.bases if not ast.unparse(base).startswith(("Generic", "Model"))]
            of = f"({', '.join(bases)})" if bases else ""
            yield f"### class {name}{of}\n\n{found.text}\n"
            members = [*_fields(node), *_methods(node)]
            yield from members
            if members:
                yield ""
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield f"### {name}\n\n```python\n{_signature(node)}\n```\n\n{found.text}\n"
        case _:
            yield f"### {name}\n\n```python\n{ast.unparse(node)}\n```\n\n{found.text}".rstrip() + "\n"


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for index, part in enumerate(node.body):
        names = [name for name in _assigned(part) if not name.startswith("_")]
        if not names or names == ["model_config"]:
            continue
        text = _string(node.body[index + 1]) if index + 1 < len(node.body) else ""
        shown = f"{names[0]}: {_plain(part.annotation)}" if isinstance(part, ast.AnnAssign) else ast.unparse(part)
        yield _item(shown, text or _described(part))


def _methods(node: ast.ClassDef) -> Iterator[str]:
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and not part.name.startswith("_"):
            is_property = any(ast.unparse(one) == "property" for one in part.decorator_list)
            returned = f": {ast.unparse(part.returns)}" if part.returns is not None else ""
            shown = f"{part.name}{returned}" if is_property else _signature(part)
            yield _item(shown, inspect.cleandoc(ast.get_docstring(part) or ""))


def _item(shown: str, text: str) -> str:
    indented = text.replace("\n", "\n  ").replace("\n  \n", "\n\n")
    return f"- `{shown}`" + (f"\n  {indented}" if text else "")


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    arguments = ast.unparse(node.args).removeprefix("self, ").removeprefix("self").removeprefix("cls, ")
    kind = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    returned = "" if node.returns is None else f" -> {ast.unparse(node.returns)}"
    return f"{kind}{node.name}({arguments}){returned}"


def _plain(annotation: ast.expr) -> str:
    """The type alone, without what pydantic is told of it."""
    text = ast.unparse(annotation)
    for node in ast.walk(annotation):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("Annotated", "SkipJsonSchema"):
            inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
            text = text.replace(ast.unparse(node), ast.unparse(inner))
    return text


def _described(node: ast.stmt) -> str:
    """The description that a model's field has."""
    for part in ast.walk(node):
        if isinstance(part, ast.keyword) and part.arg == "description":
            return str(ast.literal_eval(part.value))
    return ""


def _assigned(node: ast.stmt) -> list[str]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _string(node: ast.stmt) -> str:
    """The text of a statement that is a string; empty for any other."""
    match node:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return inspect.cleandoc(text)
    return ""


@cache
def _tree(module: str) -> ast.Module:
    package, *parts = module.split(".")
    path = PACKAGES[package].joinpath(*parts)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
