"""Logs in object storage (`s3://…`, `gs://…`, whatever fsspec reaches): listed at one go, read by ranges.

The listing says of each object what tells whether it has changed, so that a night over unchanged objects asks for
listings only. No address is ever made of an object's name: names stay paths inside the store that the user named.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from analyzer.errors import SourceError
from analyzer.model.redaction import mask_text
from analyzer.model.run import Note
from analyzer.readers.display_names import shown_path
from analyzer.readers.folder_walk import Folder

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}
"""Which extra of posthoc reaches a kind of store."""

_WRAPPERS = {"async_wrapper", "blockcache", "cached", "dask", "dir", "filecache", "reference", "simplecache"}
_HERE = {"data", "file", "git", "jupyter", "libarchive", "local", "tar", "zip"}
_NO_STORES = _WRAPPERS | _HERE | {"databricks", "github", "http", "https"}
"""What fsspec knows besides stores: this machine's disks, wrappers of others, trackers' addresses."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*)://", re.IGNORECASE)
_TAGS = ("ETag", "etag", "generation", "content_md5", "md5Hash")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created", "timeModified")
_BATCH = 500


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store says of an object. `mark` is another one when the object has changed; "" where nobody knows."""

    size: int
    mark: str


_S3 = ("s3", "s3a")
ANSWER, TRIES = 20, 2
"""Seconds in which S3 has to answer, and how often it is asked: with their own they wait for many minutes."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where objects lie: fsspec's name of the kind, and what the address says besides the path."""

    kind: str
    options: tuple[tuple[str, Any], ...] = ()

    def files(self) -> Any:
        """Return fsspec's file system, the same for all threads. ImportError when its package is missing."""
        import fsspec  # noqa: PLC0415 - slow, and not always there

        options = dict(self.options)
        if self.kind in _S3:
            tries = {} if "AWS_MAX_ATTEMPTS" in os.environ else {"retries": {"max_attempts": 1, "mode": "standard"}}
            options = {"config_kwargs": {"connect_timeout": ANSWER, "read_timeout": ANSWER, **tries}, **options}
        files = fsspec.filesystem(self.kind, use_listings_cache=False, **options)
        if self.kind in _S3:
            files.retries = TRIES  # s3fs's own, around botocore's: five by itself
        return files


@dataclass(frozen=True, slots=True)
class Object:
    """One object; OSError, in words, when it cannot be had."""

    store: Store
    path: str

    def look(self) -> ObjectInfo:
        """Ask the store for its size and mark."""
        try:
            return _look(self.store.files().info(self.path))
        except Exception as error:
            raise _refused(error) from error

    def part(self, start: int, stop: int) -> bytes:
        """Return its bytes [start, stop), fewer when it has become shorter."""
        try:
            return bytes(self.store.files().cat_file(self.path, start=start, end=stop))
        except Exception as error:
            raise _refused(error) from error


@dataclass(frozen=True, slots=True)
class Bucket:
    """Everything below one address. `address` is as shown, `root` the path inside the store, `looks` by path below."""

    address: str
    store: Store
    root: str
    folders: tuple[Folder, ...]
    looks: Mapping[str, ObjectInfo]

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.address.rstrip("/").rpartition("/")[2] or "root"

    def at(self, inside: str) -> Object:
        """Return the object at a path below."""
        return Object(self.store, f"{self.root}/{inside}" if self.root else inside)

    def stamp(self, paths: Sequence[str]) -> str | None:
        """Return a text that stays the same as long as these objects are untouched; None where the store cannot say."""
        looks = [(path, self.looks[path]) for path in paths]
        if not all(look.mark for _, look in looks):
            return None
        return hashlib.sha256(repr(looks).encode("utf-8", "surrogateescape")).hexdigest()

    def heads(self, paths: Sequence[str], count: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield each path with the first bytes of its object, many asked for at once; None when it cannot be had."""
        files = self.store.files()
        for at in range(0, len(paths), _BATCH):
            batch = paths[at : at + _BATCH]
            full = [path for path in batch if self.looks[path].size]
            ends = [min(count, self.looks[path].size) for path in full]
            found = files.cat_ranges([self.at(path).path for path in full], [0] * len(full), ends, on_error="return")
            heads = dict(zip(full, found, strict=True))
            for path in batch:
                head = heads.get(path, b"")
                yield path, bytes(head) if isinstance(head, bytes | bytearray) else None


def is_address(source: str) -> bool:
    """Whether the source is an address of object storage."""
    scheme = _SCHEME.match(source)
    return scheme is not None and _is_store(scheme[1].lower())


@cache
def _is_store(kind: str) -> bool:
    if kind in EXTRAS:
        return True
    if kind in _NO_STORES or importlib.util.find_spec("fsspec") is None:
        return False
    from fsspec.registry import known_implementations, registry  # noqa: PLC0415 - not always there

    return kind in known_implementations or kind in registry


def listed(source: str) -> Bucket:
    """Return the listing of an address. SourceError, in one sentence, when it cannot be had or is empty."""
    shown = mask_text(source)
    kind = source.partition("://")[0].lower()
    try:
        import fsspec  # noqa: PLC0415 - slow, and not always there

        made = fsspec.get_filesystem_class(kind)
        store = Store(kind, tuple(sorted(made._get_kwargs_from_urls(source).items())))
        root = str(made._strip_protocol(source)).rstrip("/")
        infos = store.files().find(root, detail=True)
    except ImportError as error:
        raise SourceError(f"{shown}: {_missing(kind, error)}") from error
    except Exception as error:
        raise SourceError(f"{shown}: {_why(error)}") from error
    if set(infos) == {root}:
        root = root.rpartition("/")[0]
    looks = {name.removeprefix(root).removeprefix("/"): _look(info) for name, info in infos.items()}
    looks.pop("", None)
    if not looks:
        raise SourceError(f"{shown}: nothing lies there; check the name")
    return Bucket(shown.rstrip("/"), store, root, _folders(looks), looks)


def unread(bucket: Bucket) -> tuple[Note, ...]:
    """Return notes where MLflow's own stores, or names that no folder has, lie among the objects."""
    stores = "an MLflow store is not read from object storage; give its tracking server, or copy it to a disk"
    kinds = {
        stores: (p for p in bucket.looks if p.rpartition("/")[2] in {"meta.yaml", "mlflow.db"}),
        "not read: the first part of its name is empty": (p for p in bucket.looks if p.startswith("/")),
    }
    firsts = {what: next(paths, None) for what, paths in kinds.items()}
    return tuple(
        Note("layout", f"{shown_path(path)}: {what}", file=shown_path(path)) for what, path in firsts.items() if path
    )


def _folders(looks: Mapping[str, ObjectInfo]) -> tuple[Folder, ...]:
    """Return the folders that the objects' names make, parents first; what ends with a slash stands for a folder."""
    files: dict[str, list[str]] = {"": []}
    folders: dict[str, set[str]] = {"": set()}
    for path in looks:
        if path.startswith("/"):
            continue  # told by unread()
        around, _, name = path.rpartition("/")
        _make(around, files, folders)
        if name:
            files[around].append(name)
    return tuple(Folder(path, tuple(sorted(files[path])), tuple(sorted(folders[path]))) for path in sorted(files))


def _make(path: str, files: dict[str, list[str]], folders: dict[str, set[str]]) -> None:
    while path not in files:
        files[path] = []
        folders.setdefault(path, set())
        around, _, name = path.rpartition("/")
        folders.setdefault(around, set()).add(name)
        path = around


def _look(info: Mapping[str, Any]) -> ObjectInfo:
    told = [str(info[key]) for key in _TAGS if info.get(key)]
    if not told:
        told = [str(info[key]) for key in _TIMES if info.get(key)]
    return ObjectInfo(int(info.get("size") or 0), "|".join(told))


def _missing(kind: str, error: ImportError) -> str:
    if kind in EXTRAS:
        return f"this needs another package; install the extra: pip install 'posthoc[{EXTRAS[kind]}]'"
    return f"this needs another package ({_line(error)})"


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such bucket or folder; check the name"
    if isinstance(error, PermissionError):
        return "access is denied; check the credentials and what they may list"
    if "Credential" in type(error).__name__:
        return "no credentials were found; give them as to the store's own tools (variables, profile or role)"
    return f"cannot be listed ({_line(error)}); check the address, and the way there (network, proxy, endpoint)"


def _refused(error: Exception) -> OSError:
    if isinstance(error, FileNotFoundError):
        return OSError("the object is not there any more")
    if isinstance(error, PermissionError):
        return OSError("access is denied")
    return OSError(_line(error))


def _line(error: Exception) -> str:
    text = next(iter(str(error).splitlines()), "")
    return mask_text(f"{type(error).__name__}: {text}" if text else type(error).__name__)[:300]
