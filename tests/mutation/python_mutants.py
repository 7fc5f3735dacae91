"""Small mistakes in Python source: a mutant is a file with one of them in one function.

Left alone: annotations, docstrings, texts, what runs at import, and `assert`, which states what holds anyway.
"""

import ast
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, Final

_OPERATORS: Final[dict[type[ast.AST], type[ast.AST]]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Pow: ast.Mult,
}  # fmt: skip
_LEFT_ALONE: Final = ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom
_FIELDS_LEFT_ALONE: Final = {"annotation", "returns", "decorator_list", "args", "type_params", "ctx", "pattern"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """The `index`-th mistake of a file; `function` is the qualified name of where it is, `what` says it in words."""

    path: Path
    index: int
    line: int
    function: str
    what: str

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line} {self.function}: {self.what}"

    def codes(self) -> list[CodeType]:
        """Return the code of the function with the mistake, and of all that is made inside it."""
        tree = ast.parse(self.path.read_text())
        place, key, new = [site for _, site in _sites(tree)][self.index]
        place[key] = new
        module = compile(ast.fix_missing_locations(tree), str(self.path), "exec")
        found = next(code for code in _codes(module) if code.co_qualname == self.function)
        return [found, *_codes(found)]


def mutants(path: Path) -> list[Mutant]:
    """Return every mutant of a file, function by function."""
    found = []
    for index, (function, (place, key, new)) in enumerate(_sites(ast.parse(path.read_text()))):
        old = place[key]
        what = f"`{_words(new)}`, not `{_words(old)}`"
        found.append(Mutant(path, index, old.lineno, function, what))
    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


_Site = tuple[Any, Any, ast.AST]
"""Where a node stands, as container and key, and what to put there."""


def _sites(tree: ast.Module) -> list[tuple[str, _Site]]:
    return [(name, site) for name, function in _functions(tree, "") for site in _below(function)]


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _below(node: ast.AST) -> Iterator[_Site]:
    for field, value in ast.iter_fields(node):
        if field in _FIELDS_LEFT_ALONE:
            continue
        place: Any = value if isinstance(value, list) else vars(node)
        for key in range(len(value)) if isinstance(value, list) else [field]:
            child = place[key]
            if not isinstance(child, ast.AST) or isinstance(child, _LEFT_ALONE) or _is_docstring(child):
                continue
            for new in _mistaken(child):
                yield place, key, ast.copy_location(new, child)
            if not isinstance(child, ast.Raise):
                yield from _below(child)


def _mistaken(node: ast.AST) -> Iterator[ast.AST]:
    """What could stand there by mistake."""
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                yield _changed(node, ops=[*ops[:index], _OPERATORS[type(operator)](), *ops[index + 1 :]])
        case ast.BoolOp(op=op) | ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _OPERATORS:
            yield _changed(node, op=_OPERATORS[type(op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.IfExp(body=body, orelse=orelse):
            yield _changed(node, body=orelse, orelse=body)
        case ast.If(test=test) | ast.While(test=test):
            yield _changed(node, test=ast.copy_location(ast.UnaryOp(ast.Not(), test), test))
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.copy_location(ast.Constant(None), value))
    if isinstance(node, ast.Raise | ast.AugAssign | ast.Expr | ast.Continue | ast.Break):
        yield ast.Pass()


def _changed(node: ast.AST, **fields: Any) -> ast.AST:
    new = copy(node)
    vars(new).update(fields)
    return new


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _words(node: ast.AST) -> str:
    return ast.unparse(node).partition("\n")[0]
