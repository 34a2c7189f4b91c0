"""A look at the beginning of event files in object storage: all at one go, and only at what the memo does not know."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from analyzer.readers.formats import Memo
from analyzer.readers.object_store import Bucket
from analyzer.readers.tensorboard.epoch_folders import Ends, ends_of
from analyzer.readers.tensorboard.layout import Peek
from analyzer.readers.tensorboard.sniff import LOOKED_AT, PEEKED, peek_of


class DiscoveryNotes:
    """What the first records of each folder's files tell."""

    def __init__(self, bucket: Bucket, files: Mapping[str, tuple[str, ...]], memo: Memo | None) -> None:
        """Look at all folders that have event files (`files`: names by folder) when the first one is asked for."""
        self._bucket, self._files, self._memo = bucket, files, memo
        self._peeks: dict[str, Peek] = {}

    def peek(self, path: str) -> Peek:
        """Return what is told in a folder; nothing where its files cannot be read."""
        if not self._peeks:
            known = {folder: self._known(folder) for folder in self._files}
            self._peeks = {folder: peek for folder, peek in known.items() if peek is not None}
            self._look([folder for folder, peek in known.items() if peek is None])
        return self._peeks[path]

    def look(self, path: str) -> Mapping[bytes, Ends]:
        """Return the ends of the series in a folder with one small file."""
        if len(self._files[path]) > 1:
            return {}
        (inside,) = self._paths(path)
        found = self._bucket.looks[inside]
        return ends_of(self._bucket.at(inside), found.size)

    def _look(self, folders: list[str]) -> None:
        paths = [path for folder in folders for path in self._paths(folder)]
        heads = dict(self._bucket.heads(paths, PEEKED))
        for folder in folders:
            own = [(heads[path], self._bucket.looks[path].size) for path in self._paths(folder)]
            had = [(head, size) for head, size in own if head is not None]
            self._peeks[folder] = peek_of(had, alone=len(self._files[folder]) == 1)
            if len(had) == len(own):
                self._keep(folder)

    def _paths(self, folder: str) -> list[str]:
        return [f"{folder}/{name}" if folder else name for name in self._files[folder][:LOOKED_AT]]

    def _known(self, folder: str) -> Peek | None:
        stamp = self._stamp(folder)
        text = self._memo.known(self._place(folder), stamp) if self._memo and stamp else None
        if text is None:
            return None
        tags, session, *began = json.loads(text)
        return Peek(frozenset(tags), session, *began) if began else None  # kept by an earlier version

    def _keep(self, folder: str) -> None:
        peek, stamp = self._peeks[folder], self._stamp(folder)
        if self._memo and stamp:
            self._memo.keep(self._place(folder), stamp, json.dumps([sorted(peek.tags), peek.session, peek.began]))

    def _stamp(self, folder: str) -> str | None:
        """Return what changes with the files looked at and with how many there are."""
        own = self._bucket.stamp(self._paths(folder))
        return own and f"{own}/{len(self._files[folder])}"

    def _place(self, folder: str) -> str:
        digest = hashlib.sha256(repr((self._bucket.store, self._bucket.at(folder).path)).encode("utf-8"))
        return digest.hexdigest()[:32]
