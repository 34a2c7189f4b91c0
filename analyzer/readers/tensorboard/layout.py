"""Which folders and files with event files are one run: rules about names and, where names do not settle it, a peek.

1. A folder with event files is one run, however many files it holds: TensorBoard and all frameworks mean it so. A
   training that was resumed or started again in the same folder is read as one run that restarts; a note says so.
2. `SummaryWriter.add_scalars("Loss", …)` makes a sub-folder `Loss_<name>/` for each curve (tensorboardX of old:
   `Loss/<name>/`) whose files have the single tag `Loss`. They belong to the nearest folder around them that has
   event files of its own; without one, siblings that share the tag are a run together.
3. Sub-folders that bear numbers and go on one with the other are pieces of one training (pieces.py), read as what the
   folder around them would be if it held their files itself.
4. Siblings `<name>_train` and `<name>_val` (or `train_<name>`, …) are one run `<name>`, unless there is such a folder.
5. A sub-folder that bears the name of a split (train, validation, val, eval, test, …) belongs to the folder around
   it when that folder has event files of its own, or two such sub-folders, or nothing but that one sub-folder with
   event files: Keras writes `train/` before `validation/` exists, and the run must keep its name when it appears.
   TF2 scripts make writers for other things beside them (`lr/`, `metrics/`): siblings of two splits that hold no
   folders and were begun in the same minute belong to the run as well.
   A sub-folder `eval_<name>`, `val_<name>` or `test_<name>` only belongs to a folder with event files of its own.
6. `SummaryWriter.add_hparams(…)` makes a sub-folder with one small file that begins with the hparams plugin's
   experiment and session. It belongs to the nearest folder with event files around it. (Keras' tuner keeps the
   experiment in the folder around its trials: those stay runs of their own, as do Lightning's `version_N`.)
7. Everything else is a run of its own, also inside a folder that has event files.
8. A SOURCE that is one of these sub-folders itself is read as it stands: nothing outside SOURCE is looked at.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from analyzer.readers.tensorboard import epoch_folders

_SPLIT = re.compile(r"train(ing)?|learn|val(id|idation)?|dev|eval(uation)?|test(ing)?", re.IGNORECASE)
_NAMED_SPLIT = re.compile(r"(eval(uation)?|val(id|idation)?|test(ing)?)[_\-.].+", re.IGNORECASE)
_WORDS = r"(?P<split>train(?:ing)?|val(?:id|idation)?|dev|eval(?:uation)?|test(?:ing)?)"
_TWINS = (
    re.compile(rf"(?P<stem>.+?)[_\-.]{_WORDS}", re.IGNORECASE),
    re.compile(rf"{_WORDS}[_\-.](?P<stem>.+)", re.IGNORECASE),
)
_TOGETHER = 60.0  # seconds: a script makes its writers in a row, and a second training takes longer to begin
_VERSION = re.compile(r"version_\d+")


@dataclass(frozen=True, slots=True)
class Peek:
    """What the beginning of a folder's files tells: its tags, whether add_hparams() made it, and when it was begun.

    `began` is in Unix seconds, None where no record could be read.
    """

    tags: frozenset[str] = frozenset()
    session: bool = False
    began: float | None = None


@dataclass
class Group:
    """One run: the folder it is named after, all folders that belong to it, and sub-folders by why they do."""

    home: str
    members: list[str] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    whole: dict[str, str] = field(default_factory=dict)
    """By the folder of a piece, the folder that stands for all pieces."""

    @property
    def place(self) -> str:
        """A folder that exists and is this run's alone: its home, or the first of twins, which share no folder."""
        around = not self.home or any(p == self.home or p.startswith(f"{self.home}/") for p in self.members)
        return self.home if around else self.members[0]

    def inner(self, path: str) -> str:
        """Return the path of a member inside the run's folder; the split's word for one of several twins."""
        standing = self.whole.get(path, path)
        if not self.home or standing == self.home or standing.startswith(f"{self.home}/"):
            return standing[len(self.home) :].lstrip("/")
        twin = _twin(standing)
        return twin[1] if twin else standing.rpartition("/")[2]


def parent_of(path: str) -> str | None:
    """Return the folder around a folder, "" for the source itself; None around the source."""
    return path.rpartition("/")[0] if path else None


def grouped(folders: Iterable[str], peek: Callable[[str], Peek], look: epoch_folders.Look | None = None) -> list[Group]:
    """Return the runs that folders with event files make, in the order of their first folder.

    `folders` are paths relative to the source, parents before children; `peek` reads the beginning of the files
    of one folder and is only asked where names do not settle it; `look` reads where the series of a small one end.
    """
    families = epoch_folders.families(folders, look) if look else {}
    whole = {piece: parent for parent, members in families.items() for piece in members}
    paths = list(dict.fromkeys(whole.get(path, path) for path in folders))
    rules = _Rules(paths, lambda path: peek(families[path][0] if path in families else path))
    groups: dict[str, Group] = {}
    for path in paths:
        home, reason = rules.home(path)
        group = groups.setdefault(home, Group(home, whole=whole))
        group.members += families.get(path, [path])
        if path in families:
            group.reasons["pieces of one training, a folder each"] = [
                one[len(home) :].lstrip("/") for one in families[path]
            ]
        if reason:
            group.reasons.setdefault(reason, []).append(group.inner(path))
    return list(groups.values())


def _twin(path: str) -> tuple[str, str] | None:
    """Return (path of the run, split) that a folder `<name>_<split>` or `<split>_<name>` speaks of."""
    parent, slash, name = path.rpartition("/")
    found = next((match for match in (form.fullmatch(name) for form in _TWINS) if match), None)
    return (f"{parent}{slash}{found['stem']}", found["split"].lower()) if found else None


class _Rules:
    def __init__(self, paths: list[str], peek: Callable[[str], Peek]) -> None:
        self._own = set(paths)
        self._homes: dict[str, str] = {}
        self._peek = cache(peek)
        self._children = _children(paths)
        self._below = _counts_below(paths)
        self._curve = cache(self._find_curve)
        self._twins = _twins(paths, self._below)

    def home(self, path: str) -> tuple[str, str]:
        """Return the folder of the run that `path` belongs to (itself, if it stands alone), and why."""
        home, reason = self._find_home(path)
        self._homes[path] = home
        return home, reason

    def _find_home(self, path: str) -> tuple[str, str]:
        parent = parent_of(path)
        if parent is None:
            return path, ""
        name = path.rpartition("/")[2]
        curve = self._curve(path)
        if curve and (curve[0] in self._own or self._shares(path, curve)):
            return self._settled(curve[0]), f"curves of add_scalars({curve[1]!r})"
        beside = self._beside(name, path, parent)
        if beside:
            return beside
        around = next((folder for folder in _ancestors(path) if folder in self._own), None)
        if around is not None and not _VERSION.fullmatch(name) and self._peek(path).session:
            return self._settled(around), "made by add_hparams()"
        return path, ""

    def _beside(self, name: str, path: str, parent: str) -> tuple[str, str] | None:
        """Return the home that a folder shares with its siblings, and why; None when it shares none."""
        if path in self._twins:
            return self._twins[path], "splits of the same run"
        if self._is_split(name, path, parent):
            return self._settled(parent), "splits of the same run"
        return (self._settled(parent), "further writers of the same run") if self._is_writer(path, parent) else None

    def _settled(self, folder: str) -> str:
        """Return the home of a run's folder, which may itself be part of a run; folders come parents first."""
        return self._homes.get(folder, folder)

    def _is_split(self, name: str, path: str, parent: str) -> bool:
        if parent in self._own:
            return bool(_SPLIT.fullmatch(name) or _NAMED_SPLIT.fullmatch(name))
        if not _SPLIT.fullmatch(name):
            return False
        splits = [child for child in self._children[parent] if _SPLIT.fullmatch(child.rpartition("/")[2])]
        return len(splits) > 1 or self._below[parent] == self._below[path]

    def _is_writer(self, path: str, parent: str) -> bool:
        """Whether a folder was begun together with two splits of a run beside it."""
        splits = [child for child in self._children[parent] if _SPLIT.fullmatch(child.rpartition("/")[2])]
        if parent in self._own or len(splits) < 2 or self._below[path] > 1:
            return False
        began, beside = self._peek(path).began, [self._peek(split).began for split in splits]
        return began is not None and any(one is not None and abs(began - one) < _TOGETHER for one in beside)

    def _find_curve(self, path: str) -> tuple[str, str] | None:
        """Return (folder around, main tag) when the path is what add_scalars() calls the folder of one curve."""
        tags = self._peek(path).tags
        if len(tags) != 1:
            return None
        (tag,) = tags
        beginnings = (tag.replace("/", "_") + "_", tag + "/")
        for folder in _ancestors(path):
            inner = path[len(folder) :].lstrip("/")
            if any(inner.startswith(start) and len(inner) > len(start) for start in beginnings):
                return folder, tag
        return None

    def _shares(self, path: str, curve: tuple[str, str]) -> bool:
        """Whether another folder at the same depth is a curve of the same group."""
        near = self._children[parent_of(path) or ""]
        return any(other != path and self._curve(other) == curve for other in near)


def _ancestors(path: str) -> Iterator[str]:
    at = parent_of(path)
    while at is not None:
        yield at
        at = parent_of(at)


def _children(paths: list[str]) -> Mapping[str, list[str]]:
    children: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        parent = parent_of(path)
        if parent is not None:
            children[parent].append(path)
    return children


def _twins(paths: list[str], below: Mapping[str, int]) -> dict[str, str]:
    """Return, by folder, the run of twins: of one training split and at least one other, and no folder of that name."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path in paths:
        twin = _twin(path)
        if twin and not below.get(twin[0]):
            found[twin[0]][path] = twin[1]
    return {
        path: run
        for run, members in found.items()
        if len({split[:2] for split in members.values()}) > 1 and any(split[:2] == "tr" for split in members.values())
        for path in members
    }


def _counts_below(paths: list[str]) -> Mapping[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for path in paths:
        for folder in (path, *_ancestors(path)):
            counts[folder] += 1
    return counts
