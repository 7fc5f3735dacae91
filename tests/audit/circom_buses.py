"""Buses of circom 2.2 as the signals that they stand for, line by line: circomspect reads circom 2.1 only.

`op.is_noop` becomes `op_is_noop`; an assignment or argument that is a whole bus becomes one for each of its signals.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

BUS = re.compile(r"^bus (\w+)\([^)]*\) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^    (signal|\w+\([^;]*\)) (\w+)((?:\[[^;]*\])*);", re.MULTILINE)
TEMPLATE = re.compile(r"^template (\w+).*?^\}", re.MULTILINE | re.DOTALL)
PORT = re.compile(r"^    (?:signal )?(input|output) (?:(\w+)\([^;]*\) )?(\w+)", re.MULTILINE)
DECLARATION = re.compile(r"^(    )((?:input |output )?)(\w+)\(([^;\n]*)\) (\w+)(;| <==)", re.MULTILINE)
COMPONENT = re.compile(r"\b(\w+)(?:\[[^\]]*\])? = (\w+)\(")
WHOLE = re.compile(r"^( *)([\w.]+) <== ([^;]*);", re.MULTILINE)
CALL = re.compile(r"\b(\w+)(\((?:[^();]|\([^();]*\))*\))\(([^()]*)\)")
PATH = re.compile(r"\b[a-z]\w*(?:\[[^\]]*\])*(?:\.\w+)+")
Flat = list[tuple[str, str]]
"""Names and dimensions of the signals of a bus."""


@dataclass
class Ports:
    """Of a template: the buses of its ports, and its inputs and outputs in order."""

    buses: dict[str, str] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def without_buses(sources: Mapping[str, str]) -> dict[str, str]:
    """The same sources, with as many lines."""
    everything = "\n".join(sources.values())
    buses = {name: FIELD.findall(body) for name, body in BUS.findall(everything)}
    ports = {match.group(1): _ports(match.group(), buses) for match in TEMPLATE.finditer(everything)}
    rewriter = _Rewriter({name: _flat(name, buses) for name in buses}, buses, ports)
    return {
        name: TEMPLATE.sub(lambda match: rewriter.template(match.group()), BUS.sub(_blank, text))
        for name, text in sources.items()
    }


def bus_inputs(line: str) -> tuple[str, str] | None:
    """Bus and name of the input that a line declares, if it does."""
    match = DECLARATION.match(f"    {line}")
    return (match.group(3), match.group(5)) if match and match.group(2) == "input " else None


def _blank(match: re.Match[str]) -> str:
    return "\n" * match.group().count("\n")


def _ports(text: str, buses: Mapping[str, object]) -> Ports:
    found = Ports()
    for direction, bus, name in PORT.findall(text):
        (found.inputs if direction == "input" else found.outputs).append(name)
        if bus in buses:
            found.buses[name] = bus
    return found


def _flat(bus: str, buses: Mapping[str, list[tuple[str, str, str]]]) -> Flat:
    found: Flat = []
    for kind, name, size in buses[bus]:
        if kind == "signal":
            found.append((name, size))
        else:
            found += [(f"{name}_{inner}", dims) for inner, dims in _flat(kind.split("(")[0], buses)]
    return found


class _Rewriter:
    def __init__(self, flat: dict[str, Flat], buses: Mapping[str, list[tuple[str, str, str]]], ports: dict[str, Ports]):
        self.flat, self.ports = flat, ports
        self.inner = {
            (bus, name): kind.split("(")[0]
            for bus, fields in buses.items()
            for kind, name, _ in fields
            if kind != "signal"
        }
        self.locals: dict[str, str] = {}
        self.components: dict[str, str] = {}

    def template(self, text: str) -> str:
        self.locals = {m[4]: m[2] for m in DECLARATION.findall(text) if m[2] in self.flat}
        self.components = {name: of for name, of in COMPONENT.findall(text) if of in self.ports}
        text = WHOLE.sub(self._assignment, text)
        text = CALL.sub(self._call, text)
        text = DECLARATION.sub(self._declaration, text)
        return PATH.sub(lambda match: self._joined(match.group()), text)

    def _bus_of(self, path: str) -> str | None:
        """The bus that a path leads to, if it is one."""
        first, *rest = re.sub(r"\[[^\]]*\]", "", path.strip()).split(".")
        bus = self.locals.get(first)
        if first in self.components and rest:
            bus = self.ports[self.components[first]].buses.get(rest.pop(0))
        for name in rest:
            bus = self.inner.get((bus, name)) if bus else None
        return bus

    def _joined(self, path: str) -> str:
        first, *rest = path.split(".")
        if re.sub(r"\[.*", "", first) in self.components:
            return ".".join([first, "_".join(rest)])
        return "_".join([first, *rest]) if first in self.locals else path

    def _parts(self, path: str) -> list[str]:
        path = path.strip()
        bus = self._bus_of(path)
        return [f"{self._joined(path)}_{name}" for name, _ in self.flat[bus]] if bus else [path]

    def _assignment(self, match: re.Match[str]) -> str:
        indent, left, right = match.groups()
        parts = self._parts(left)
        if parts == [left]:
            return match.group()
        if "(" in right:  # an anonymous component
            return f"{indent}({', '.join(parts)}) <== {right};"
        return indent + " ".join(f"{a} <== {b};" for a, b in zip(parts, self._parts(right), strict=True))

    def _call(self, match: re.Match[str]) -> str:
        name, parameters, arguments = match.groups()
        if name not in self.ports:
            return match.group()
        parts = ", ".join(part for each in arguments.split(",") for part in self._parts(each))
        lines = "\n" * arguments.count("\n")
        return f"{name}{parameters}({parts}{lines})"

    def _declaration(self, match: re.Match[str]) -> str:
        indent, direction, bus, _, name, end = match.groups()
        if bus not in self.flat:
            return match.group()
        declared = " ".join(f"signal {direction}{name}_{part}{size};" for part, size in self.flat[bus])
        if end == ";":
            return indent + declared
        return f"{indent}{declared} ({', '.join(f'{name}_{part}' for part, _ in self.flat[bus])}) <=="
