"""One audit of the shards that lie in folders: their records in order, their pages copied."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from analyzer.auditing import cache_key, shard
from analyzer.auditing.publishing import OnPublished, publish
from analyzer.auditing.record_store import RecordStore
from analyzer.auditing.state import open_state
from analyzer.errors import SourceError
from analyzer.model.result import AuditResult
from analyzer.settings import Settings
from analyzer.writers.page import page_name
from analyzer.writers.site import Site
from analyzer.writers.text_file import write_text


def merged(
    folders: Sequence[Path],
    site: Site,
    state: Path | None,
    settings: Settings,
    *,
    now: float | None = None,
    on_published: OnPublished | None = None,
) -> AuditResult:
    """Publish the audit whose shards lie in the folders.

    SourceError when a shard is missing, damaged, there twice, or of another audit or version.
    """
    files = shard.shard_files(folders)
    head = shard.whole_night([(path, shard.read_head(path, cache_key.code())) for path in files])
    rows, homes = RecordStore(site.folder), {}
    for path in files:
        for number, text in shard.read_rows(path):
            rows.put(number, text)
            homes[number] = path.parent
    held = sum(number < head.runs for number in homes)
    if held != head.runs or len(homes) != held:
        extra = f", and {len(homes) - held} beyond" if len(homes) != held else ""
        raise SourceError(f"the shards hold {held} of {head.runs} runs{extra}; make them again")
    for number in range(head.runs):
        row = rows[number]
        if row.page:
            _take_page(homes[number], site.folder, page_name(row.result.run))
    at = time.time() if now is None else now
    with open_state(state, settings.retention) as memory:
        return publish(head, rows, site, state=memory, now=at, settings=settings, on_published=on_published)


def _take_page(folder: Path, into: Path, name: str) -> None:
    page, target = folder / "runs" / name, into / "runs" / name
    if page.is_symlink() or not page.is_file():  # a link could lead to anything, and its text into the site
        raise SourceError(f"{page} is missing or no file; copy the shard's folder with its pages")
    try:
        if page.resolve() != target.resolve():
            write_text(target, page.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise SourceError(f"{page} is damaged; copy the shard's folder with its pages again") from error
