"""What the user may set: command line over --config over posthoc.toml or [tool.posthoc] in the working directory."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from analyzer.errors import PosthocError, SettingsError, UsageError
from analyzer.settings.values import byte_count, day, listed, number, only, seconds, suggestion, text

GATES = ("error", "warning", "info", "never")
KEYS = (
    "select",
    "ignore",
    "fail-on",
    "stale-after",
    "alpha",
    "run-timeout",
    "run-memory",
    "retention",
    "roles",
    "limits",
    "suppress",
    "notify",
    "history",
    "links",
    "cost",
)
SUPPRESS_KEYS = ("symptom", "run", "tag", "reason", "owner", "expires")
DIRECTIONS = ("lower", "higher")
LINK_KEYS = ("mlflow", "tensorboard")
COST_KEYS = ("gpu-hour", "gpus", "currency")
HISTORY_KEYS = ("group-by", "metric", "ignore")
HISTORY_LIMITS = ("weight", "account", "matters")


@dataclass(frozen=True, slots=True)
class RoleSetting:
    """A tag's meaning as the user gives it (`--role TAG=ROLE[:SPLIT[:lower|higher]]`)."""

    role: str
    split: str | None = None
    direction: str | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """A finding that the user has set aside, with the reason. `run` and `tag` are patterns as of a shell."""

    symptom: str
    reason: str
    run: str = "*"
    tag: str = "*"
    owner: str = ""
    expires: date | None = None

    def covers(self, symptom: str, run: str, tags: Collection[str], today: date) -> bool:
        """Whether it speaks of this finding and has not expired."""
        if self.symptom != symptom or (self.expires is not None and self.expires < today):
            return False
        named = self.run == run or fnmatch.fnmatchcase(run, self.run)
        return named and (self.tag == "*" or any(t == self.tag or fnmatch.fnmatchcase(t, self.tag) for t in tags))


@dataclass(frozen=True, slots=True)
class Histories:
    """How jobs are found and looked at: settings that make jobs of their own, metrics to look at, names to pass over.

    `limits` overrules those of analyzer.histories.job_history.Limits.
    """

    group_by: tuple[str, ...] = ()
    metric: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Price:
    """What an hour of training costs: `gpu_hour` of a currency for each of so many GPUs."""

    gpu_hour: float
    gpus: float = 1.0
    currency: str = "USD"


@dataclass(frozen=True)
class Settings:
    """All that shapes a judgement. `limits` maps a symptom to its overruled limits; `stale_after` is in seconds.

    A process that judges may take `run_timeout` seconds over a run and `run_memory` bytes (None: its share of all).
    A state remembers vanished runs, and nights, for `retention` seconds.
    `links` are addresses of MLflow and TensorBoard, by name, that pages link to; `price` is that of wasted hours.
    `notify` has addresses that are told what is new; they hold secrets, and no process that judges is given them.
    """

    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    roles: Mapping[str, RoleSetting] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    alpha: float = 0.001
    stale_after: float = 6 * 3600.0
    fail_on: str | None = None
    suppress: tuple[Suppression, ...] = ()
    run_timeout: float = 600.0
    run_memory: int | None = None
    retention: float = 365 * 86_400.0
    notify: tuple[str, ...] = field(default=(), repr=False)
    history: Histories = field(default_factory=Histories)
    links: tuple[tuple[str, str], ...] = ()
    price: Price | None = None


@dataclass(frozen=True)
class KnownNames:
    """The words that settings may use: the limits of each symptom, roles, splits."""

    limits: Mapping[str, Mapping[str, float]]
    roles: Collection[str]
    splits: Collection[str]


def load_settings(config: Path | None, known: KnownNames, folder: Path) -> Settings:
    """Return the settings of a file: `config`, or posthoc.toml or pyproject.toml in `folder`, or the defaults.

    SettingsError when the file cannot be read, or has a key or value that means nothing.
    """
    if config is not None:
        table = _read(config)
        if config.name != "pyproject.toml":
            return _parsed(table, known, str(config))
        own_table = _own_table(table)
        if own_table is None:
            raise SettingsError(f"{config} has no table [tool.posthoc]; add one, or give another file with --config")
        return _parsed(own_table, known, f"{config} [tool.posthoc]")
    own, project = folder / "posthoc.toml", folder / "pyproject.toml"
    if own.is_file():
        return _parsed(_read(own), known, own.name)
    if project.is_file():
        own_table = _own_table(_read(project))
        if own_table is not None:
            return _parsed(own_table, known, f"{project.name} [tool.posthoc]")
    return Settings()


def settings_inside(folder: Path, sources: Iterable[Path]) -> Path | None:
    """Return the settings file of `folder` if it lies inside a source, whose files are untrusted; None otherwise."""
    own, project = folder / "posthoc.toml", folder / "pyproject.toml"
    found = own if own.is_file() else project if project.is_file() and b"tool.posthoc" in project.read_bytes() else None
    here = Path(os.path.realpath(folder))
    inside = any(Path(os.path.realpath(place)) in (here, *here.parents) for place in sources)
    return found if inside else None


def with_words(
    settings: Settings,
    known: KnownNames,
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] | None = None,
    roles: Iterable[str] = (),
) -> Settings:
    """Return the settings overruled by the words of a call; UsageError for words that mean nothing."""
    given = [parsed_role(text, known) for text in roles]
    return replace(
        settings,
        select=settings.select if select is None else frozenset(_symptom(s, known, UsageError) for s in select),
        ignore=settings.ignore if ignore is None else frozenset(_symptom(s, known, UsageError) for s in ignore),
        roles={**settings.roles, **dict(given)},
    )


def parsed_role(text: str, known: KnownNames) -> tuple[str, RoleSetting]:
    """Return tag and role from `TAG=ROLE[:SPLIT[:lower|higher]]`, divided at the last `=`; UsageError otherwise."""
    tag, divided, meaning = text.rpartition("=")
    if not divided or not tag or not meaning:
        raise UsageError(f"--role {text!r} is not TAG=ROLE[:SPLIT[:lower|higher]]")
    return tag, _role(meaning, known, f"--role {text!r}", UsageError)


def _read(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - needed only where there is a file

    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for without end
            raise SettingsError(f"{path} is not a file that settings can be read from")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from error
    except RecursionError as error:
        raise SettingsError(f"{path} is not valid TOML: it is nested too deeply") from error
    except ValueError as error:  # what TOML refuses, bytes that are no UTF-8, numbers of thousands of digits
        raise SettingsError(f"{path} is not valid TOML: {str(error).splitlines()[0]}") from error


def _own_table(pyproject: dict[str, Any]) -> Any:
    tool = pyproject.get("tool")
    return tool.get("posthoc") if isinstance(tool, dict) else None


def _parsed(table: Any, known: KnownNames, where: str) -> Settings:
    only(table, KEYS, where)
    chosen = table.get("select")
    gate = table.get("fail-on")
    limits = dict(_table(table.get("limits", {}), f"{where}: limits"))
    history = _histories(table.get("history", {}), limits.pop("history", {}), where)
    if gate is not None and gate not in GATES:
        raise SettingsError(f"{where}: fail-on is {gate!r}; it may be {', '.join(GATES)}")
    return Settings(
        select=None if chosen is None else _symptoms(chosen, known, f"{where}: select"),
        ignore=_symptoms(table.get("ignore", []), known, f"{where}: ignore"),
        roles=_roles(table.get("roles", {}), known, f"{where}: roles"),
        limits=_limits(limits, known, f"{where}: limits"),
        alpha=number(table.get("alpha", Settings.alpha), f"{where}: alpha", above=0.0, below=1.0),
        stale_after=seconds(table.get("stale-after", Settings.stale_after), f"{where}: stale-after"),
        fail_on=gate,
        run_timeout=seconds(table.get("run-timeout", Settings.run_timeout), f"{where}: run-timeout", above=0.0),
        run_memory=byte_count(table["run-memory"], f"{where}: run-memory") if "run-memory" in table else None,
        notify=tuple(text(one, f"{where}: notify") for one in listed(table.get("notify", []), f"{where}: notify")),
        history=history,
        links=_links(table.get("links", {}), f"{where}: links"),
        price=_price(table["cost"], f"{where}: cost") if "cost" in table else None,
        retention=seconds(table.get("retention", Settings.retention), f"{where}: retention", above=0.0),
        suppress=tuple(
            _suppression(entry, known, where) for entry in listed(table.get("suppress", []), f"{where}: suppress")
        ),
    )


def _symptoms(value: Any, known: KnownNames, where: str) -> frozenset[str]:
    names = value.split(",") if isinstance(value, str) else listed(value, where)
    if not all(isinstance(name, str) for name in names):
        raise SettingsError(f"{where} must name symptoms")
    return frozenset(_symptom(name.strip(), known, SettingsError, f"{where}: ") for name in names)


def _symptom(name: str, known: KnownNames, error: type[PosthocError], where: str = "") -> str:
    name = name if name in known.limits else name.lower()
    if name not in known.limits:
        raise error(f"{where}unknown symptom {name!r}{suggestion(name, known.limits) or '; see posthoc explain'}")
    return name


def _roles(table: Any, known: KnownNames, where: str) -> dict[str, RoleSetting]:
    if not isinstance(table, dict) or not all(isinstance(meaning, str) for meaning in table.values()):
        raise SettingsError(f'{where} must be a table of tags, each = "ROLE[:SPLIT[:lower|higher]]"')
    return {tag: _role(meaning, known, f"{where}.{tag}", SettingsError) for tag, meaning in table.items()}


def _role(meaning: str, known: KnownNames, where: str, error: type[PosthocError]) -> RoleSetting:
    role, split, direction, *more = [*meaning.split(":"), "", ""]
    if any(more) or meaning.count(":") > 2:
        raise error(f"{where}: {meaning!r} is not ROLE[:SPLIT[:lower|higher]]")
    parts = (("role", role, known.roles), ("split", split, known.splits), ("direction", direction, DIRECTIONS))
    for what, word, words in parts:
        if word not in words and (word or what == "role"):
            raise error(f"{where}: there is no {what} {word!r}{suggestion(word, words)} ({', '.join(words)})")
    return RoleSetting(role, split or None, direction or None)


def _limits(table: Any, known: KnownNames, where: str) -> dict[str, dict[str, float]]:
    only(table, known.limits.keys(), where)
    for symptom, limits in table.items():
        only(limits, known.limits[symptom].keys(), f"{where}.{symptom}")
    return {
        symptom: {name: number(value, f"{where}.{symptom}.{name}") for name, value in limits.items()}
        for symptom, limits in table.items()
    }


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"{where} must be a table")
    return value


def _histories(table: Any, limits: Any, where: str) -> Histories:
    only(table, HISTORY_KEYS, f"{where}: history")
    only(limits, HISTORY_LIMITS, f"{where}: limits.history")
    names = {
        key: tuple(
            text(one, f"{where}: history.{key}") for one in _several(table.get(key, []), f"{where}: history.{key}")
        )
        for key in HISTORY_KEYS
    }
    given = {key: number(value, f"{where}: limits.history.{key}", above=0.0) for key, value in limits.items()}
    return Histories(names["group-by"], names["metric"], names["ignore"], tuple(given.items()))


def _links(table: Any, where: str) -> tuple[tuple[str, str], ...]:
    only(table, LINK_KEYS, where)
    found = tuple((name, text(address, f"{where}.{name}")) for name, address in table.items())
    for name, address in found:
        if not address.startswith(("http://", "https://")):
            raise SettingsError(f"{where}.{name} is {address!r}; an address is wanted, as in http://host:5000")
    return found


def _price(table: Any, where: str) -> Price:
    only(table, COST_KEYS, where)
    if "gpu-hour" not in table:
        raise SettingsError(f"{where} needs gpu-hour, the price of an hour of one GPU")
    price = number(table["gpu-hour"], f"{where}.gpu-hour", above=0.0)
    gpus = number(table.get("gpus", Price.gpus), f"{where}.gpus", above=0.0)
    return Price(price, gpus, text(table.get("currency", Price.currency), f"{where}.currency"))


def _several(value: Any, where: str) -> list[Any]:
    return [value] if isinstance(value, str) else list(listed(value, where))


def _suppression(entry: Any, known: KnownNames, where: str) -> Suppression:
    where = f"{where}: suppress"
    only(entry, SUPPRESS_KEYS, where)
    for key in ("symptom", "reason"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise SettingsError(f"{where}: each entry needs a {key}")
    _symptom(entry["symptom"], known, SettingsError, f"{where}: ")
    for key in ("run", "tag", "owner"):
        if not isinstance(entry.get(key, ""), str):
            raise SettingsError(f"{where}: {key} must be a text")
    try:
        expires = day(entry.get("expires"))
    except ValueError as error:
        raise SettingsError(f"{where}: expires is {entry['expires']!r}; write it like 2026-12-31") from error
    texts = {key: entry[key] for key in ("symptom", "reason", "run", "tag", "owner") if key in entry}
    return Suppression(**texts, expires=expires)
