"""Small changes of a module, each as a syntax tree of its own: comparisons, conditions, numbers, texts, statements.

Pure. Left out is what cannot change a call's verdict: annotations, docstrings, decorators, `assert`, `__all__`, imports
and what stands under `TYPE_CHECKING`. cosmic-ray was not taken: it changes annotations but no texts, drops no
statement, and starts an interpreter for each change.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Mutant", "mutants", "mutated"]

_EDGES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.Pow: ast.Mult,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_MARK = "XX"


_Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of one place. `before` and `after` are that place as source; `within` is its function or class."""

    line: int
    within: str
    before: str
    after: str
    path: _Path
    number: int


def mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a module's source, in the order of its lines. Raises SyntaxError for no Python."""
    tree = ast.parse(source)
    for path, within in _places(tree):
        node = _at(tree, path)
        for number, changed in enumerate(_changes(node)):
            yield Mutant(getattr(node, "lineno", 0), within, _text(node), _text(changed), path, number)


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """The syntax tree of the module with that one change, ready to be compiled."""
    tree = ast.parse(source)
    node = _at(tree, mutant.path)
    changed = list(_changes(node))[mutant.number]
    parent, (field, index) = _at(tree, mutant.path[:-1]), mutant.path[-1]
    if index is None:
        setattr(parent, field, changed)
    else:
        getattr(parent, field)[index] = changed
    if "lineno" in node._attributes:
        ast.copy_location(changed, node)
    ast.fix_missing_locations(tree)
    return tree


def _at(tree: ast.AST, path: _Path) -> ast.AST:
    for field, index in path:
        child = getattr(tree, field)
        tree = child if index is None else child[index]
    return tree


def _places(node: ast.AST, path: _Path = (), within: str = "") -> Iterator[tuple[_Path, str]]:
    """Yield the way to every node that may be changed, with the name of the function or class around it."""
    skipped = _left_out(node)
    for field, value in ast.iter_fields(node):
        if field in skipped:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(child, ast.AST) or _is_left_out(child):
                continue
            way = (*path, (field, index))
            name = within
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{within}.{child.name}".lstrip(".")
            yield way, name
            yield from _places(child, way, name)


def _left_out(node: ast.AST) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {"decorator_list", "returns", "type_params", "bases"}
        case ast.arg() | ast.AnnAssign():
            return {"annotation"}
        case ast.Call(func=ast.Name(id="cast")):
            return {"args"}
        case _:
            return set()


def _is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Assert() | ast.Import() | ast.ImportFrom():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Raise(exc=ast.Call(func=ast.Name(id="AssertionError"))):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.ClassDef(bases=bases):
            return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in bases)
        case _:
            return False


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the changes of one node, each a new node that takes its place; the node itself stays as it is."""
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                new = copy.copy(node)
                new.ops = [_EDGES[type(op)]() if place == index else other for place, other in enumerate(ops)]
                yield new
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for index in range(len(values)):
                rest = values[:index] + values[index + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            yield ast.BinOp(left, _ARITHMETIC[type(op)](), right)
        case ast.Constant():
            yield from _constants(node.value)
        case ast.If() | ast.IfExp() | ast.While() if not _changes_alone(node.test):
            changed = copy.copy(node)
            changed.test = ast.UnaryOp(ast.Not(), node.test)
            yield changed
        case ast.comprehension(ifs=[_, *_]):
            yield ast.comprehension(node.target, node.iter, [], node.is_async)
        case ast.Slice(lower=lower, upper=upper):
            if lower is not None:
                yield ast.Slice(None, upper, node.step)
            if upper is not None:
                yield ast.Slice(lower, None, node.step)
        case ast.Call():
            yield from _calls(node)
        case ast.Match(cases=cases):
            yield from _cases(node, cases)
        case ast.Expr() | ast.AugAssign() | ast.Delete() | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript() | ast.Tuple(elts=[ast.Attribute(), *_])]):
            yield ast.Pass()


def _changes_alone(test: ast.expr) -> bool:
    """Whether one of the test's own changes is its negation."""
    match test:
        case ast.Compare(ops=[op]):
            return not isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
        case _:
            return isinstance(test, ast.UnaryOp)


def _constants(value: object) -> Iterator[ast.AST]:
    match value:
        case bool():
            yield ast.Constant(not value)
        case int() if abs(value) <= 10:
            yield ast.Constant(value + 1)
            if value:
                yield ast.Constant(value - 1)
        case int():
            yield ast.Constant(value + 1)
            yield ast.Constant(value // 2)
            yield ast.Constant(value * 2)
        case float():
            yield ast.Constant(value / 2 if value else 1.0)
            yield ast.Constant(value * 2 if value else -1.0)
        case str() if value:
            yield ast.Constant(_MARK + value)
        case bytes() if value:
            yield ast.Constant(_MARK.encode() + value)


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        yield ast.Call(ast.Name(_CALLS[node.func.id], ast.Load()), node.args, node.keywords)
    for index in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, node.keywords[:index] + node.keywords[index + 1 :])


def _cases(node: ast.Match, cases: list[ast.match_case]) -> Iterator[ast.AST]:
    for index, case in enumerate(cases):
        if len(cases) > 1:
            yield ast.Match(node.subject, cases[:index] + cases[index + 1 :])
        if case.guard is not None:
            free = ast.match_case(case.pattern, None, case.body)
            yield ast.Match(node.subject, [*cases[:index], free, *cases[index + 1 :]])


def _text(node: ast.AST) -> str:
    """The node as one line of source; a compound statement by what decides in it."""
    match node:
        case ast.If() | ast.While():
            return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
        case ast.Match():
            return " | ".join(_case(case) for case in node.cases)
        case _:
            return " ".join(ast.unparse(node).split())


def _case(case: ast.match_case) -> str:
    return ast.unparse(case.pattern) + ("" if case.guard is None else f" if {ast.unparse(case.guard)}")
