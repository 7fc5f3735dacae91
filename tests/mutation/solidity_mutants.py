"""Mutants of a Solidity source: one small mistake each, of the kinds that are made and that reviews miss.

No parser: comments and strings are blanked, and what is left is read by tokens. What does not compile is no mutant.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

OPERATORS = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",),
    "&&": ("||",), "||": ("&&",), "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("/",), "<<": (">>",),
    ">>": ("<<",), "&": ("|",), "|": ("&",), "^": ("&",), "+=": ("-=", "="), "-=": ("+=", "="), "|=": ("&=",),
    "++": ("--",), "!": ("",), "~": ("",),
}  # fmt: skip
YUL = {"add": "sub", "sub": "add", "mul": "add", "lt": "gt", "and": "or", "shl": "shr", "shr": "shl", "eq": "lt"}
TOKENS = re.compile(r"=>|[-+|]=|\+\+|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>&|^!~]")
FUNCTION = re.compile(r"\b(?:function|constructor)\b[^;{]*\{")
CONSTANT = re.compile(r"\bconstant\s+\w+\s*=([^;]*);")
DECLARATION = re.compile(r"\(?\s*[\w.]+(?:\[\w*\])*(?:\s+(?:memory|calldata|storage))?\s+\w+\s*(?:=|;|,)")
COMMUTES = ("mulmod", "addmod")


@dataclass(frozen=True)
class Mutant:
    """The text from `start` to `end` of a source replaced by another."""

    path: str
    source: str
    start: int
    end: int
    text: str
    operator: str

    @property
    def mutated(self) -> str:
        return self.source[: self.start] + self.text + self.source[self.end :]

    @property
    def change(self) -> tuple[str, str]:
        """The lines before and after."""
        return self._lines(self.source, self.end), self._lines(self.mutated, self.start + len(self.text))

    @property
    def name(self) -> str:
        """File, function and change: what stays when other lines move."""
        before, after = self.change
        return f"{self.path} {self._function()}: {before} => {after}"

    def _function(self) -> str:
        names = re.findall(r"\b(?:function\s+(\w+)|(constructor))\b", self.source[: self.start + 1])
        return "".join(names[-1]) if names else "-"

    def _lines(self, text: str, end: int) -> str:
        """Those of a text that hold what is from `start` to `end`."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", end)
        return " ".join(text[first:last].split())


def mutants_of(path: str, source: str) -> list[Mutant]:
    """All mutants of a source, in its order."""
    found: dict[tuple[int, int, str], str] = {}
    blank = _blanked(source)
    for start, end, text, operator in _changes(blank):
        if blank[start:end] != text:
            found.setdefault((start, end, text), operator)
    return [Mutant(path, source, *place, operator) for place, operator in sorted(found.items())]


def _blanked(source: str) -> str:
    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match.group())

    return re.sub(r'//[^\n]*|/\*.*?\*/|"[^"\n]*"', blank, source, flags=re.S)


Change = tuple[int, int, str, str]


def _changes(blank: str) -> Iterator[Change]:
    is_library = re.search(r"^library ", blank, flags=re.M) is not None
    for match in CONSTANT.finditer(blank):
        yield from _in_expressions(blank, match.start(1), match.end(1))
    for match in FUNCTION.finditer(blank):
        yield from _in_signature(match, is_library)
        yield from _in_body(blank, match.end(), _closing(blank, match.end()))


def _in_signature(match: re.Match[str], is_library: bool) -> Iterator[Change]:
    for modifier in re.finditer(r"\b(?:nonReentrant|onlyOwner)\b", match.group()):
        yield match.start() + modifier.start(), match.start() + modifier.end(), "", "modifier removed"
    internal = re.search(r"\binternal\b", match.group())
    if internal and not is_library and not re.search(r"\b(?:view|pure)\b", match.group()):
        yield match.start() + internal.start(), match.start() + internal.end(), "public", "visibility"


def _in_body(blank: str, start: int, end: int) -> Iterator[Change]:
    position = start
    while (assembly := blank.find("assembly", position, end)) >= 0:
        inner = blank.index("{", assembly) + 1
        close = _closing(blank, inner)
        yield from _in_solidity(blank, position, assembly)
        yield from _in_assembly(blank, inner, close)
        position = close + 1
    yield from _in_solidity(blank, position, end)


def _in_solidity(blank: str, start: int, end: int) -> Iterator[Change]:
    yield from _in_expressions(blank, start, end)
    yield from _swapped(blank, start, end)
    for first, last in _statements(blank, start, end):
        statement = blank[first:last]
        condition = re.match(r"(?:else\s+)?(?:if|while)\s*\(", statement)
        if condition:
            opened = first + condition.end()
            closed = _closing(blank, opened, "()")
            if not re.match(r"\s*revert\b", blank[closed + 1 : last]):
                yield opened, closed, "true", "condition"
            yield opened, closed, "false", "condition"
        elif not DECLARATION.match(statement) or statement.startswith(("return", "delete", "emit")):
            yield first, last, "", "statement deleted"


def _in_expressions(blank: str, start: int, end: int) -> Iterator[Change]:
    for match in TOKENS.finditer(blank, start, end):
        for other in OPERATORS.get(match.group(), ()):
            yield match.start(), match.end(), other, "operator"
    yield from _literals(blank, start, end)
    for match in re.finditer(r"\b[A-Z][A-Z0-9_]{2,}\b(?!\s*[.(])", blank[start:end]):
        yield start + match.start(), start + match.end(), f"({match.group()} + 1)", "constant"
    for match in re.finditer(r"\?([^?:;]+):([^?:;,)]+)", blank[start:end]):
        one, other = match.group(1).strip(), match.group(2).strip()
        yield start + match.start(), start + match.end(), f"? {other} : {one}", "branches swapped"
    for match in re.finditer(r"\b(?:true|false)\b", blank[start:end]):
        other = "false" if match.group() == "true" else "true"
        yield start + match.start(), start + match.end(), other, "constant"


def _literals(blank: str, start: int, end: int) -> Iterator[Change]:
    for match in re.finditer(r"(?<![\w.])\d+(?![\w.])", blank[start:end]):
        # Not the size of an array's type.
        if re.search(r"\b(?:uint\d*|bytes\d*)\[$", blank[: start + match.start()]):
            continue
        value = int(match.group())
        for other in (value + 1, value - 1):
            if other >= 0:
                yield start + match.start(), start + match.end(), str(other), "literal"


def _in_assembly(blank: str, start: int, end: int) -> Iterator[Change]:
    for match in re.finditer(rf"\b({'|'.join(YUL)})\(", blank[start:end]):
        yield start + match.start(1), start + match.end(1), YUL[match.group(1)], "operator"
    yield from _literals(blank, start, end)
    for match in re.finditer(
        r"^ *((?:mstore|calldatacopy|mcopy|position :=|\w+ := )[^\n{}]*)$", blank[start:end], flags=re.M
    ):
        yield start + match.start(1), start + match.end(1), "", "statement deleted"


def _swapped(blank: str, start: int, end: int) -> Iterator[Change]:
    """Each two neighbouring arguments of a call."""
    for match in re.finditer(r"\b(\w+)\(", blank[start:end]):
        if match.group(1) in ("if", "for", "while", "return", "uint256", "assembly"):
            continue
        opened = start + match.end()
        closed = _closing(blank, opened, "()")
        parts = [(a, b) for a, b in _arguments(blank, opened, closed) if blank[a:b].strip()]
        for position, ((a, b), (c, d)) in enumerate(pairwise(parts)):
            if match.group(1) in COMMUTES and position == 0:
                continue
            one, other = blank[a:b].strip(), blank[c:d].strip()
            yield a, d, f"{other}, {one}", "arguments swapped"


def _arguments(blank: str, start: int, end: int) -> list[tuple[int, int]]:
    places, depth, first = [], 0, start
    for position in range(start, end):
        depth += (blank[position] in "([{") - (blank[position] in ")]}")
        if blank[position] == "," and depth == 0:
            places.append((first, position))
            first = position + 1
    return [*places, (first, end)]


def _statements(blank: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """From the first letter to the semicolon; of an if or while, its head alone if a block follows."""
    depth, first = 0, start
    for position in range(start, end):
        letter = blank[position]
        depth += (letter in "([") - (letter in ")]")
        if depth == 0 and letter in ";{}":
            text = blank[first:position]
            begin = first + len(text) - len(text.lstrip())
            last = position + 1 if letter == ";" else position
            is_head = re.match(r"(?:else\s+)?(?:if|while)\b", text.lstrip())
            if text.strip() and (letter == ";" or (letter == "{" and is_head)):
                yield begin, last
            first = position + 1


def _closing(blank: str, start: int, pair: str = "{}") -> int:
    """Where what was opened before `start` is closed."""
    depth = 1
    for position in range(start, len(blank)):
        depth += (blank[position] == pair[0]) - (blank[position] == pair[1])
        if depth == 0:
            return position
    raise ValueError(f"not closed: {blank[start : start + 80]!r}")
