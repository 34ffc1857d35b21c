"""Reads the other files of a scenario: the steps that it includes, and the defaults of its folder.

They lie in the scenario's own folder or below it, links resolved, so that a scenario from elsewhere cannot read other
files of this machine. An error names the part's own file, line and column.
"""

import os
from difflib import get_close_matches
from pathlib import Path

from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.confinement import is_within
from audiosocket_sim.scenario.loading import yaml_tree
from audiosocket_sim.scenario.loading.documents import FileError, Problem, problem, read_text
from audiosocket_sim.scenario.loading.yaml_tree import Place, Tree

__all__ = ["DEFAULTS", "NO_STEP", "PartFiles"]

DEFAULTS = "defaults.yaml"
NO_STEP = {"wait": "0ms"}
"""Stands for steps that cannot be read, so that no error is reported that only follows from that one."""
_NOT_A_DEFAULT = ("summary", "steps", "for_each", "callers", "then")
_KEYS = frozenset(info.alias or name for name, info in Scenario.model_fields.items())


class PartFiles:
    """The other files of one scenario, each read once. `problems`: what is wrong with them.

    `file`: the scenario's file as errors name it. `folder`: its folder; None if the scenario is in no folder.
    """

    def __init__(self, file: str, folder: Path | None) -> None:
        self._shown = os.path.dirname(file)
        self._folder = folder
        self._trees: dict[Path, Tree] = {}
        self.problems: list[Problem] = []

    @property
    def read(self) -> tuple[Path, ...]:
        """The paths of all files that were read, links resolved."""
        return tuple(self._trees)

    def steps(self, name: str, includer: Path | None) -> tuple[Path, Tree]:
        """Return the path and the tree of a file of steps, which `includer` names; None: the scenario itself does.

        Raises ValueError with a line for people if there is no such file, or it is no list of steps. A file that is
        not valid YAML is a problem, and its tree is a single step.
        """
        if self._folder is None:
            raise ValueError(f"{name} is relative to the scenario, and this one lies in no folder")
        if Path(name).is_absolute():
            raise ValueError(f"{name}: a path is relative to the file that includes it")
        if "\0" in name:
            raise ValueError("a file's name cannot contain a NUL character")
        near = self._folder if includer is None else includer.parent
        path = (near / name).resolve()
        if not is_within(path, (self._folder,)):
            raise ValueError(f"{name} leads out of the scenario's folder")
        if not path.is_file():
            others = [one.name for one in path.parent.iterdir() if one.is_file()] if path.parent.is_dir() else []
            meant = get_close_matches(path.name, others, n=1)
            raise ValueError(f"there is no file {name}" + (f"; did you mean {meant[0]!r}?" if meant else ""))
        tree = self._tree(path)
        if not isinstance(tree.data, list):
            what = "is empty" if tree.data is None else "is a mapping" if isinstance(tree.data, dict) else "is a text"
            raise ValueError(f"{name} {what}: what is included is a list of steps (lines that begin with `- `)")
        return path, tree

    def defaults(self) -> Tree | None:
        """Return the tree of the folder's defaults.yaml; None if there is none.

        A file of that name without any key of a scenario belongs to another tool. One that is a scenario is no default.
        """
        path = None if self._folder is None else self._folder / DEFAULTS
        if path is None or not path.is_file():
            return None
        if not is_within(path, (path.parent,)):
            self.problems.append(Problem(self._name(path), 0, 0, "this link leads out of the scenario's folder"))
            return None
        tree = self._tree(path)
        if not isinstance(tree.data, dict) or not _KEYS & tree.data.keys() or {"summary", "steps"} <= tree.data.keys():
            return None
        for key in _NOT_A_DEFAULT:
            if key in tree.data:
                why = f"{key} belongs in a scenario: a {DEFAULTS} is what its folder's scenarios have in common"
                self.problems.append(problem("", tree.place((key,), of_key=True), why))
                del tree.data[key]
        return tree

    def _name(self, path: Path) -> str:
        """Return the file's name in errors: as the scenario's own, which may be relative."""
        assert self._folder is not None
        return os.path.join(self._shown, path.relative_to(self._folder))

    def _tree(self, path: Path) -> Tree:
        if path not in self._trees:
            self._trees[path] = self._read(path)
        return self._trees[path]

    def _read(self, path: Path) -> Tree:
        name = self._name(path)
        try:
            tree = yaml_tree.read(read_text(path, FileError, "part of a scenario", name), name)
        except FileError as error:
            self.problems += error.problems
        except yaml_tree.MalformedYaml as error:
            self.problems.append(problem(name, error.place, error.message))
        else:
            self.problems += [problem(name, place, message) for place, message in tree.problems]
            tree.problems.clear()
            return tree
        return Tree([dict(NO_STEP)], values={(): Place(file=name)})
