"""Parses YAML text into plain data with the line and column of each key and value. Independent of scenarios.

YAML 1.2: `no`, `on` and `12:30` remain text, and so does text that only looks like a number (`0_7`). Duplicate keys,
tags, and aliases that contain themselves are reported as problems. The data consists of dict, list, str, int, float,
bool and None only. For any text, parsing takes bounded time and memory: there are limits for the number of values,
their depth, the length of a number, and the total length of text (an alias counts each time it is used).
"""

import re
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from audiosocket_sim.scenario.written import KeyPath, as_written

__all__ = ["MalformedYaml", "Place", "Tree", "read"]

_MOST_NODES = 50_000
_MOST_CHARACTERS = 5_000_000
_MOST_DIGITS = 300
"""Python itself refuses to convert more than 4,300 decimal digits, in either direction."""
_DEEPEST = 100
_INT = re.compile(r"[-+]?\d+", re.ASCII)
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"
_TOKENS = {
    "'<scalar>'": "a value",
    "<block end>": "the end of this block",
    "'<block mapping start>'": "a mapping",
    "'<block sequence start>'": "a list",
    "'<stream end>'": "the end of the file",
    "'?'": "a key",
}
"""Plain words for ruamel's names of tokens."""
_LOOKS_NUMERIC = re.compile(r"[-+.\d]", re.ASCII)
_TEXT_TAGS = ("str", "timestamp", "merge", "value")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; line and column count from 1.

    `file`: its name in errors, "" for the file that was read first. Line 0: the place is `file` itself, such as an
    option of the command line.
    """

    line: int = 1
    column: int = 1
    file: str = ""


class MalformedYaml(Exception):
    """The text cannot be parsed as YAML at all. `message`: one line that says why; `place`: where."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


@dataclass(slots=True)
class Tree:
    """The data of a file, the place of each value and key, and the problems that did not prevent parsing."""

    data: Any = None
    problems: list[tuple[Place, str]] = field(default_factory=list)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    keys: dict[KeyPath, Place] = field(default_factory=dict)

    def place(self, path: KeyPath, *, of_key: bool = False) -> Place:
        """Return the place of the value (`of_key`: of the key) at the path, or of its nearest parent in the file."""
        here = self.written(path)
        if of_key and here in self.keys and here[-1] == path[-1]:
            return self.keys[here]
        return self.values.get(here, Place())

    def places(self) -> dict[KeyPath, tuple[int, int]]:
        """Return line and column of each key, and for a value without a key (a list's item, the root) of its start."""
        return {path: (place.line, place.column) for path, place in {**self.values, **self.keys}.items()}

    def files(self) -> dict[KeyPath, str]:
        """Return the file of each part that is not in the file that was read first."""
        return {path: place.file for path, place in {**self.values, **self.keys}.items() if place.file}

    def written(self, path: KeyPath) -> KeyPath:
        """Return the longest leading part of the path that exists in the file."""
        return as_written(path, self.values)


def read(text: str, file: str = "") -> Tree:
    """Parse the text, which must hold a single document. Raises MalformedYaml.

    `file`: what the places in the tree name as their file.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _CountingComposer
    yaml.max_depth = _DEEPEST
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor that is set twice is legal
            root = yaml.compose(text)
    except MaxDepthExceededError as error:
        raise MalformedYaml(_place_of(error), f"nested too deeply: at most {_DEEPEST} levels are taken") from None
    except MarkedYAMLError as error:
        raise _malformed(error, text) from None
    except ReaderError as error:
        raise _forbidden(error, text) from None
    except YAMLError as error:
        raise MalformedYaml(Place(), str(error).partition("\n")[0]) from None
    except RecursionError:
        raise MalformedYaml(Place(), "nested too deeply") from None
    tree = Tree()
    if root is not None:
        tree.data = _Builder(tree).build(root, ())
    return tree if not file else _in_file(tree, file)


def _in_file(tree: Tree, file: str) -> Tree:
    """Return the tree with the name of its file in all places."""
    return Tree(
        tree.data,
        [(replace(place, file=file), message) for place, message in tree.problems],
        {path: replace(place, file=file) for path, place in tree.values.items()},
        {path: replace(place, file=file) for path, place in tree.keys.items()},
    )


class _CountingComposer(Composer):
    """Ruamel's composer, which stops as soon as a file has too many values."""

    _count = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._count += 1
        if self._count > _MOST_NODES:
            mark = self.parser.peek_event().start_mark
            raise MalformedYaml(Place(mark.line + 1, mark.column + 1), _TOO_MANY)
        return super().compose_node(parent, index)


_TOO_MANY = f"more than {_MOST_NODES} values: too large for a scenario"


def _place_of(error: MarkedYAMLError) -> Place:
    mark = error.problem_mark or error.context_mark
    return Place(mark.line + 1, mark.column + 1) if mark is not None else Place()


def _forbidden(error: ReaderError, text: str) -> MalformedYaml:
    """Return the error for a character that YAML does not allow, such as NUL, with its place."""
    before = text[: error.position]
    place = Place(len(re.findall(r"\r\n?|\n", before)) + 1, len(re.split(r"[\r\n]", before)[-1]) + 1)
    return MalformedYaml(place, f"the character U+{error.character:04X} cannot stand in YAML")


def _malformed(error: MarkedYAMLError, text: str) -> MalformedYaml:
    """Return ruamel's error in one line, with the common mistakes in plain words."""
    place = _place_of(error)
    problem, context = str(error.problem or "cannot be read"), str(error.context or "")
    for token, words in _TOKENS.items():
        problem = problem.replace(token, words)
    if "found character '\\t'" in problem:
        return MalformedYaml(place, "a tab where the line is indented: YAML takes only spaces there")
    if "but got '{'" in problem and _follows_dollar(text, place):
        return MalformedYaml(place, 'a variable needs quotes within {…} and […]: "${name}"')
    if problem.startswith("mapping values are not allowed"):
        return MalformedYaml(place, "a `: ` that cannot be here: indented too far, or a text that needs quotes")
    if problem == "but found another document":
        return MalformedYaml(place, "a second document (---) in the file; a scenario is one")
    if "that cannot start any token" in problem or context == "while scanning an alias":
        return MalformedYaml(place, f"{problem.replace(' that cannot start any token', '')}: the text needs quotes")
    if context.startswith("while") and error.context_mark is not None and error.context_mark.line + 1 != place.line:
        problem += f", {context} that begins in line {error.context_mark.line + 1}"
    elif context.startswith("while"):
        problem += f", {context}"
    return MalformedYaml(place, problem)


def _follows_dollar(text: str, place: Place) -> bool:
    line = text.split("\n")[place.line - 1 : place.line]
    return bool(line) and line[0][: place.column - 1].endswith("$")


class _Builder:
    """Builds the data from ruamel's nodes; counts nodes and characters, since aliases can make a small file huge."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._count = 0
        self._characters = 0
        self._open: set[int] = set()

    def build(self, node: Node, path: KeyPath) -> Any:
        place = _start(node)
        self._tree.values[path] = place
        self._count += 1
        if self._count > _MOST_NODES:
            raise MalformedYaml(place, _TOO_MANY)
        if id(node) in self._open:
            raise MalformedYaml(place, "an alias that contains itself")
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, path)
            if isinstance(node, SequenceNode):
                self._refuse_tag(node, "seq")
                return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        self._refuse_tag(node, "map")
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = _start(key_node)
            if not isinstance(key_node, ScalarNode):
                self._tree.problems.append((place, "a key is a word, not a list or a mapping"))
                continue
            key = self._text(key_node)
            here = (*path, key)
            if key in result:
                first = self._tree.keys[here].line
                self._tree.problems.append((place, f"the key {key!r} is here twice (first in line {first})"))
                continue
            self._tree.keys[here] = place
            result[key] = self.build(value_node, here)
            if isinstance(value_node, ScalarNode) and value_node.value == "":
                # `key:` with nothing behind it: ruamel puts the nothing at the next line
                self._tree.values[here] = place if result[key] is None else self._tree.values[here]
        return result

    def _scalar(self, node: Node) -> Any:
        kind, text = str(node.tag).removeprefix(_TAG), self._text(node)
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() in ("true", "yes", "on")
            case "int" | "float":
                return self._number(node, kind, text)
        if kind not in _TEXT_TAGS:
            self._refuse_tag(node, "str")
        return text

    def _number(self, node: Node, kind: str, text: str) -> int | float | str:
        """Return the number, or the text if only ruamel considers it a number: `0_7`, `-_`, 12:30 in YAML 1.1."""
        if len(text) > _MOST_DIGITS:
            raise MalformedYaml(_start(node), f"a number of {len(text)} characters: at most {_MOST_DIGITS} are taken")
        try:
            if kind == "int":
                return int(text) if _INT.fullmatch(text) else int(text.replace("_", ""), 0)
            return float(text.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            if getattr(node, "style", None) or not _LOOKS_NUMERIC.match(text):  # its tag says that it is a number
                self._tree.problems.append((_start(node), f"the tag !!{kind} does not fit {text!r}"))
            return text

    def _text(self, node: Node) -> str:
        """Return the node's text, and add its length to the total. Raises MalformedYaml if the total is too large."""
        text = str(node.value)
        self._characters += len(text)
        if self._characters > _MOST_CHARACTERS:
            raise MalformedYaml(_start(node), f"more than {_MOST_CHARACTERS} characters, aliases counted: too large")
        if half := _HALF_CHARACTER.search(text):
            raise MalformedYaml(_start(node), f"\\u{ord(half[0]):04x} is half a character: it can be sent nowhere")
        return text

    def _refuse_tag(self, node: Node, expected: str) -> None:
        tag = str(node.tag)
        if tag != _TAG + expected:
            shown = tag.replace(_TAG, "!!")
            self._tree.problems.append((_start(node), f"the tag {shown} has no meaning in a scenario"))


def _start(node: Node) -> Place:
    mark = node.start_mark
    return Place(mark.line + 1, mark.column + 1)
