"""Texts of the rooms. Which sentences are said over the API, for screens to say in their language?

The rooms know no language: their English sentences are the messages of the catalogue. This walks what an
error, a problem or an answer is made of back to the literals: through variables, parameters, functions,
fields and constants. An f-string becomes a message with numbered holes (`There is no kind {0} here.`), each
branch of a conditional one message. What leads to no literal is reported with its place: `Walk.unknown`.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from tests.conftest import ROOT
from tests.web.said_literals import Hole, Text, is_said, message_of, texts_in

APP = ROOT / "app"
ELSEWHERE = (
    "cli/", "typed_commands.py",  # the command line is English
    "mcp/",  # what programs of assistants read is English
    "entries/reasons.py",  # screens say them in words of their own: web/admin/audience_words.py
    "log", "journal.py",  # the log is English
    "privacy/masks.py", "privacy/shipped.py", "server/selftest/",  # examples of what is hidden
    "web/content_security.py", "web/assets.py", "web/pages/", "web/feeds/",  # headers; pages speak gettext
    "upgrade/versions/", "upgrade/legacy/shapes/",  # frozen, and says nothing
)  # fmt: skip
"""Where no text is gathered: files below `app`, by how their paths begin."""

LOGS = frozenset({"_log", "_logger", "log", "logger"})
GETTEXT = frozenset({"_", "gettext", "ngettext", "ngettext_plain", "mark"})
MEMBERS = frozenset({"detail", "fault", "hint", "why", "sentence", "warning", "note", "reason", "undo"})
"""Members of answers and fields of values that hold what is said to people."""
ERROR_LISTS = frozenset(
    {"message", "hint", "strerror", "args", "detail", "sentence", "command", "reason", "why"}
)
PLAIN_FIELDS = frozenset({"name", "path", "kind", "id", "value", "username", "title", "text", "key", "data"})
PASSING = frozenset(
    {
        *("join", "format", "get", "strip", "rstrip", "lower", "upper", "capitalize", "replace", "partition"),
        *("removesuffix", "removeprefix", "str", "sorted", "list", "tuple", "set", "next", "min", "max"),
        *("reversed", "shorten", "items", "values", "dict", "map", "filter", "chain"),
    }
)
"""Functions whose value is made of what they are handed."""

SAYING = (
    *("problem", "problem_body", "problem_page", "Said", "Finding", "Problem"),
    *("WouldBeLost", "Outcome", "Applied", "Step"),
)
"""Functions and classes that are handed what is said to people."""

REPORTS = ("plan_text", "outcome_text", "notes_of")
"""Functions that make the text of a report, line by line."""

COUNTING = frozenset({"counted", "_count"})
"""Functions of ours that put a number before one of two words."""

OF_ONE_TEXT = frozenset({"one_line", "printable", "in_answer"})
"""Functions of ours that give back the text that they are handed."""

CALLS_MOST = 6
"""From how many calls away a text is looked for."""


@dataclass(frozen=True, eq=False)
class Module:
    """A file, its syntax tree, its constants, functions and what its names were imported as."""

    name: str
    path: str
    tree: ast.Module
    constants: dict[str, list[ast.expr]]
    functions: dict[str, list[ast.AST]]
    imported: dict[str, tuple[str, str]]


Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Place:
    """Where an expression stands: its file, the functions around it, from the outermost, and its class."""

    module: Module
    functions: tuple[Function, ...] = ()
    of_class: ast.ClassDef | None = None


@dataclass
class Walk:
    """What was found: messages with where they are said, and expressions that lead to no text."""

    found: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


class Project:
    """All files of the application, and what is called by which name."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}
        self.functions: dict[str, list[tuple[Place, Function]]] = defaultdict(list)
        self.fields: dict[str, list[tuple[ast.ClassDef, int]]] = defaultdict(list)
        self.field_defaults: dict[str, list[tuple[Place, ast.expr]]] = defaultdict(list)
        self.calls: dict[str, list[tuple[Place, ast.Call]]] = defaultdict(list)
        self.assigned: dict[str, list[tuple[Place, ast.expr]]] = defaultdict(list)
        self.bases: dict[str, list[str]] = defaultdict(list)
        self.raised: list[tuple[Place, ast.Call]] = []
        self.dicts: list[tuple[Place, ast.Dict]] = []
        self.members: list[tuple[Place, ast.expr]] = []
        for path in sorted(APP.rglob("*.py")):
            if not path.relative_to(APP).as_posix().startswith(ELSEWHERE):
                self._add(path)

    def errors(self) -> set[str]:
        """The names of all classes of errors that people hear of."""
        found = {"DaemonError"}
        while more := {name for name, bases in self.bases.items() if found & set(bases)} - found:
            found |= more
        return found

    def _add(self, path: Path) -> None:
        relative = path.relative_to(APP).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        module = Module(name, relative, tree, defaultdict(list), defaultdict(list), {})
        self.modules[name] = module
        self._walk(tree, Place(module))

    def _walk(self, node: ast.AST, place: Place) -> None:
        for child in ast.iter_child_nodes(node):
            self._note(child, place)
            inner = place
            if isinstance(child, Function):
                self.functions[child.name].append((place, child))
                if not place.functions:
                    place.module.functions[child.name].append(child)
                inner = Place(place.module, (*place.functions, child), place.of_class)
            elif isinstance(child, ast.ClassDef):
                self._note_class(child, place)
                inner = Place(place.module, place.functions, child)
            self._walk(child, inner)

    def _note(self, node: ast.AST, place: Place) -> None:
        module = place.module
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Attribute(value=ast.Attribute(attr=of), attr="append" | "extend"):  # result.notes
                    self.assigned[of].extend((place, each) for each in node.args)
            if not _is_log(node.func):
                self.members.extend((place, each.value) for each in node.keywords if each.arg in MEMBERS)
                self.calls[_name(node.func)].append((place, node))
        elif isinstance(node, ast.Dict):
            self.dicts.append((place, node))
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            self.raised.append((place, node.exc))
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                module.imported[each.asname or each.name] = (node.module, each.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target, value in _pairs(targets, node.value):
                if isinstance(target, ast.Name) and not place.functions:
                    module.constants[target.id].append(value)
                elif isinstance(target, ast.Attribute):
                    self.assigned[target.attr].append((place, value))
                elif isinstance(target, ast.Subscript) and _text_of(target.slice) in MEMBERS:
                    self.members.append((place, value))

    def _note_class(self, node: ast.ClassDef, place: Place) -> None:
        self.bases[node.name] += [_name(base) for base in node.bases]  # of all classes of that name
        at = 0
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                at += 1
                if not _may_be_text(line.annotation):
                    continue
                self.fields[line.target.id].append((node, at - 1))
                if line.value is not None:
                    self.field_defaults[line.target.id].append((place, line.value))


class Finder:
    """Goes back from what is said to the literals that it is made of."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._errors = project.errors()
        self.walk = Walk()
        self._seen: dict[tuple[object, ...], int] = {}
        self._had: dict[tuple[object, ...], bool] = {}
        self._hits = 0
        self._depth = 0

    def find(self) -> Walk:
        """Return all that is said."""
        for name in sorted(self._errors):
            for place, call in self._project.calls[name]:
                self._say_error(place, call)
        for place, node in self._project.raised:
            if _name(node.func) in {"ValueError", "HTTPException"}:
                self._sinks(place, [*node.args, *_keywords(node, {"detail"})], must=False)
        for place, made in self._project.dicts:
            said = [v for k, v in zip(made.keys, made.values, strict=True) if _text_of(k) in MEMBERS]
            self._sinks(place, said, must=False)
        for place, value in self._project.members:
            self._sinks(place, [value], must=False)
        for name in SAYING:
            for place, call in self._project.calls[name]:
                self._sinks(place, [*call.args, *(each.value for each in call.keywords)], must=False)
        for place, call in self._project.calls["replace"]:  # dataclasses.replace, of an outcome
            if isinstance(call.func, ast.Name):
                self._sinks(place, _keywords(call, {"message", "hint", "notes"}), must=False)
        for name in REPORTS:
            for place, function in self._project.functions[name]:
                self._returned(function, Place(place.module, (function,)), is_part=False)
        return self.walk

    def _say_error(self, place: Place, call: ast.Call) -> None:
        said = [*call.args[:1], *_keywords(call, {"message"})]
        self._sinks(place, said, must=True)
        self._sinks(place, _keywords(call, {"hint"}), must=True)

    def _sinks(self, place: Place, said: list[ast.expr], *, must: bool) -> None:
        if place.module.path == "errors.py":
            return
        for each in said:
            self._hits = 0
            self._flow(each, place, is_part=False)
            if must and not self._hits:
                self.walk.unknown[f"{place.module.path}:{each.lineno}"] = ast.unparse(each)

    # -- from an expression to its literals

    def _flow(self, node: ast.expr | None, place: Place, *, is_part: bool) -> None:
        if node is None:
            return
        self._once((id(node), is_part), lambda: self._lead_on(node, place, is_part))

    def _lead_on(self, node: ast.expr, place: Place, is_part: bool) -> None:
        literal = texts_in(node)
        if literal is not None:
            for text in literal:
                self._record(text, place, node, is_part)
            return
        match node:
            case ast.Name():
                self._name(node, place, is_part)
            case ast.Call():
                self._call(node, place, is_part)
            case ast.Attribute():
                self._attribute(node, place, is_part)
            case ast.Subscript() | ast.Await() | ast.Starred() | ast.NamedExpr() | ast.FormattedValue():
                self._flow(node.value, place, is_part=is_part)
            case ast.IfExp():
                self._flow(node.body, place, is_part=is_part)
                self._flow(node.orelse, place, is_part=is_part)
            case ast.BoolOp():
                self._all(node.values, place, is_part)
            case ast.Dict():
                self._all([each for each in node.values if each], place, is_part)
            case ast.List() | ast.Tuple() | ast.Set():
                self._all(node.elts, place, is_part)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                self._flow(node.elt, place, is_part=is_part)
                self._all([each.iter for each in node.generators], place, is_part)
            case ast.DictComp():
                self._flow(node.value, place, is_part=is_part)
            case ast.Lambda():
                self._flow(node.body, place, is_part=is_part)
            case ast.BinOp():
                self._all([node.left, node.right], place, is_part)
            case ast.Constant():
                self._hits += 1

    def _all(self, nodes: list[ast.expr], place: Place, is_part: bool) -> None:
        for each in nodes:
            self._flow(each, place, is_part=is_part)

    def _record(self, text: Text, place: Place, node: ast.expr, is_part: bool) -> None:
        self._hits += 1
        message = message_of(text)
        if is_said(message):
            self.walk.found.setdefault(message, f"{place.module.path}:{node.lineno}")
        for piece in text:
            if isinstance(piece, Hole):
                hits = self._hits
                self._flow(piece.value, place, is_part=True)
                self._hits = hits

    def _name(self, node: ast.Name, place: Place, is_part: bool) -> None:
        for depth in range(len(place.functions), 0, -1):
            function = place.functions[depth - 1]
            inner = Place(place.module, place.functions[:depth], place.of_class)
            values = list(_assigned_in(function).get(node.id, ()))
            if values:
                self._all(values, inner, is_part)
            if _has_parameter(function, node.id):
                key = (id(function), node.id, is_part)
                self._once(key, partial(self._parameter, function, node.id, inner, is_part))
                return
            if values:
                return
        self._global(place.module, node.id, is_part)

    def _global(self, module: Module, name: str, is_part: bool) -> None:
        if name in module.constants:
            self._all(module.constants[name], Place(module), is_part)
        elif name in module.imported:
            at, original = module.imported[name]
            if at in self._project.modules:
                self._global(self._project.modules[at], original, is_part)
        elif name in module.functions:
            for function in module.functions[name]:
                assert isinstance(function, Function)
                self._returned(function, Place(module, (function,)), is_part)

    def _parameter(self, function: Function, name: str, place: Place, is_part: bool) -> None:
        arguments = function.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        at = names.index(name) if name in names else None
        is_method = bool(names) and names[0] in {"self", "cls"}
        called = place.of_class.name if function.name == "__init__" and place.of_class else function.name
        annotation = next(each.annotation for each in _parameters(function) if each.arg == name)
        if self._depth >= CALLS_MOST or not _may_be_text(annotation):
            return
        self._depth += 1
        self._defaults(function, name, place, is_part)
        for where, call in self._project.calls[called]:
            if not self._is_call_of(called, function, place, where, call):
                continue
            given = _keywords(call, {name})
            if at is not None and len(call.args) > at - is_method >= 0:
                given.append(call.args[at - is_method])
            self._all(given, where, is_part)
        self._depth -= 1

    def _defaults(self, function: Function, name: str, place: Place, is_part: bool) -> None:
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        with_default = positional[len(positional) - len(arguments.defaults) :]
        pairs = [*zip(with_default, arguments.defaults, strict=True)]
        pairs += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d]
        self._all([default for each, default in pairs if each.arg == name], place, is_part)

    def _is_call_of(
        self, called: str, function: Function, place: Place, where: Place, call: ast.Call
    ) -> bool:
        if where.module is place.module:
            return True
        if isinstance(call.func, ast.Name):
            return where.module.imported.get(call.func.id, ("", ""))[0] == place.module.name
        return len(self._project.functions[function.name]) < 4

    def _call(self, node: ast.Call, place: Place, is_part: bool) -> None:
        name = _name(node.func)
        if name in self._errors or name in GETTEXT:
            self._hits += 1
            return
        if name in OF_ONE_TEXT:
            self._all(node.args, place, is_part)
            return
        if name in COUNTING and len(node.args) == 3:
            for each in filter(None, map(_text_of, node.args[1:])):
                self._record((Hole(node.args[0]), f" {each}"), place, node, is_part)
            return
        if isinstance(node.func, ast.Name):
            found = self._functions_of(place.module, node.func.id)
        elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            found = self._functions_of_module(place.module, node.func.value.id, name)
        else:
            found = []
        if not found and isinstance(node.func, ast.Attribute) and name not in PASSING:
            among = self._project.functions.get(name, [])
            found = among if len(among) < 4 else []
        for where, function in found:
            self._returned(
                function, Place(where.module, (*where.functions, function), where.of_class), is_part
            )
        if not found and name in PASSING:
            base = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            self._all([*base, *node.args, *(each.value for each in node.keywords)], place, is_part)

    def _functions_of(self, module: Module, name: str) -> list[tuple[Place, Function]]:
        here = [(p, f) for p, f in self._project.functions.get(name, []) if p.module is module]
        if here:
            return here
        at, original = module.imported.get(name, ("", ""))
        if at in self._project.modules:
            return self._functions_of(self._project.modules[at], original)
        return []

    def _functions_of_module(self, module: Module, base: str, name: str) -> list[tuple[Place, Function]]:
        at, original = module.imported.get(base, ("", ""))
        other = self._project.modules.get(f"{at}.{original}")
        return self._functions_of(other, name) if other is not None else []

    def _returned(self, function: Function, place: Place, is_part: bool) -> None:
        self._once((id(function), "returned", is_part), lambda: self._values_of(function, place, is_part))

    def _values_of(self, function: Function, place: Place, is_part: bool) -> None:
        if self._depth >= CALLS_MOST or not _may_be_text(function.returns):
            return
        self._depth += 1
        for node in ast.walk(function):
            if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
                self._flow(node.value, place, is_part=is_part)
        self._depth -= 1

    def _attribute(self, node: ast.Attribute, place: Place, is_part: bool) -> None:
        if isinstance(node.value, ast.Name):
            at, original = place.module.imported.get(node.value.id, ("", ""))
            other = self._project.modules.get(f"{at}.{original}")
            if other is not None:
                self._global(other, node.attr, is_part)
                return
        if node.attr in ERROR_LISTS:
            self._hits += 1
        if node.attr not in PLAIN_FIELDS and self._depth < CALLS_MOST:
            self._once(("field", node.attr, is_part), lambda: self._field(node.attr, is_part))

    def _once(self, key: tuple[object, ...], look: Callable[[], None]) -> None:
        """Look at something once from so many calls away, or fewer; add whether that led to a text."""
        if self._seen.get(key, CALLS_MOST + 1) <= self._depth:
            self._hits += self._had.get(key, False)
            return
        self._seen[key] = self._depth
        before = self._hits
        look()
        self._had[key] = self._hits > before

    def _field(self, name: str, is_part: bool) -> None:
        for made, at in self._project.fields.get(name, ()):
            for where, call in self._project.calls[made.name]:
                given = _keywords(call, {name})
                if len(call.args) > at:
                    given.append(call.args[at])
                self._all(given, where, is_part)
        for where, value in self._project.field_defaults.get(name, ()):
            self._flow(value, where, is_part=is_part)
        for where, value in self._project.assigned.get(name, ()):
            self._flow(value, where, is_part=is_part)
        among = self._project.functions.get(name, [])
        for where, function in among if len(among) < 6 else []:
            self._returned(
                function, Place(where.module, (*where.functions, function), where.of_class), is_part
            )


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _is_log(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in LOGS


def _text_of(node: ast.AST | None) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _keywords(call: ast.Call, names: set[str]) -> list[ast.expr]:
    return [each.value for each in call.keywords if each.arg in names]


def _parameters(function: Function) -> list[ast.arg]:
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _has_parameter(function: Function, name: str) -> bool:
    return any(each.arg == name for each in _parameters(function))


def _may_be_text(annotation: ast.expr | None) -> bool:
    """Whether a type has a text in it, as far as one can see."""
    return annotation is None or bool(re.search(r"\b(str|Any|object)\b", ast.unparse(annotation)))


def _pairs(targets: Sequence[ast.expr], value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    for target in targets:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(target.elts, value.elts, strict=False)
        else:
            yield target, value


@cache
def _assigned_in(function: Function) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = defaultdict(list)
    for node in ast.walk(function):
        pairs: list[tuple[ast.expr, ast.expr]] = []
        match node:
            case ast.Assign():
                pairs = [(target, node.value) for target in node.targets]
            case ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr() if node.value is not None:
                pairs = [(node.target, node.value)]
            case ast.For() | ast.comprehension() | ast.AsyncFor():
                pairs = [(node.target, node.iter)]
            case ast.Call(func=ast.Attribute(value=ast.Name() as of, attr="append" | "extend")):
                pairs = [(of, each) for each in node.args]
        for target, value in pairs:
            for each in ast.walk(target):
                if isinstance(each, ast.Name):
                    found[each.id].append(value)
    return found


@cache
def walked() -> Walk:
    """Return what the application says, found once."""
    return Finder(Project()).find()
