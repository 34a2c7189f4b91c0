"""The site of an audit: a page for each run, the index, findings.json and its twin; whole at every moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TextIO

from analyzer.errors import OutputError
from analyzer.files import remove_abandoned
from analyzer.model.guide import Guide
from analyzer.model.result import Night, Result
from analyzer.model.run import Note
from analyzer.writers.fallback_page import page_or_plain
from analyzer.writers.history_page import history_page, page_of_job
from analyzer.writers.index import STYLESHEET, index_pages
from analyzer.writers.index_row import Entry, Thumbnail, entry, thumbnail
from analyzer.writers.json_file import line_of, write_document
from analyzer.writers.output_folder import claim
from analyzer.writers.page import Provenance, page_name
from analyzer.writers.related_runs import CHANGED, HEAD, RelatedRuns, digest_of, put_beside, without_turns
from analyzer.writers.single_values import Table
from analyzer.writers.spill_file import SpillFile
from analyzer.writers.template_environment import asset, template_folder
from analyzer.writers.text_file import write_text, write_together
from analyzer.writers.truncation import TEXT, short

MARKER = ".posthoc-site"
"""The file that says that a folder is ours to write in again."""

_PAGE = re.compile(r"[0-9a-f]{16}\.html|rows-[0-9]+\.html|history-[0-9a-f]{16}\.html")
_WRITTEN = b'<meta name="generator" content="posthoc">'

SITE_FILES = (MARKER, "index.html", "report.css")
"""What lies in every site besides findings.json and the pages of runs."""


class Site:
    """A folder that becomes a site: `add` each run as it is judged, then `finish` the night.

    Pages are written one by one, each in one step; the index, its further pages and findings.json come last, so that
    no link points to a page that is not there, and together: a disk that fills leaves those of the night before. What
    the night before left over is removed after that.
    """

    def __init__(self, folder: Path, guides: Mapping[str, Guide], title: str = "") -> None:
        """Raise OutputError when the folder holds anything that is not a posthoc site; `title` is the index's."""
        self.folder = folder
        self._guides, self._title = guides, title
        self._entries: list[Entry] = []
        self._faults: list[Note] = []
        _claim(folder)
        self._lines = SpillFile(folder)
        write_text(folder / "report.css", f"{asset('style.css')}\n{asset('index.css')}\n")

    def begin(self) -> None:
        """Put a page where the index will be, when there is none: pages of runs link to it from the first on."""
        if not (self.folder / "index.html").exists():
            write_text(self.folder / "index.html", (template_folder() / "waiting.html").read_text(encoding="utf-8"))

    def add(self, result: Result, making: Provenance) -> None:
        """Write the run's page and keep its line for the index; the result itself is not kept."""
        picture, fault = write_page(self.folder, result, self._guides, making)
        self.add_row(result, picture, fault=fault)

    def add_row(
        self, result: Result, picture: Thumbnail, *, fault: str = "", paged: bool = True, fits: bool = False
    ) -> None:
        """Add the row of a run whose page is there already, or (`paged` False) that is to have none.

        `fault` says why the page that is there is one of words alone; `fits`: it is known that no text is too long.
        """
        if fault:
            self._faults.append(Note("limit", f"{short(result.run)}: {fault}"))
        self._lines.put(len(self._entries), line_of(result, fits=fits))
        self._entries.append(entry(result, picture, paged=paged, fits=fits))

    def add_related(
        self, result: Result, related: RelatedRuns, making: Provenance | None, *, changed: bool, key: str = ""
    ) -> None:
        """Put on a run's page, of the key, what is said of other runs, unless it says the same already.

        `changed`: siblings changed the result, so that the page is made again; `making` is how.
        """
        page = self.folder / "runs" / page_name(result.run)
        said = replace(related, changed=line_of(result) if changed else "")
        before = digest_of(page)
        if before is None or before == said.digest:
            return
        if making is not None and (changed or before.startswith(CHANGED)):
            write_page(self.folder, result, self._guides, making, key)
        put_beside(page, said)

    def has_page(self, run: str, key: str) -> bool:
        """Whether the page of the run is there and was drawn under this key: a state may serve several folders."""
        page = self.folder / "runs" / page_name(run)
        try:
            with page.open("rb") as file:
                return _keyed(key).encode() in file.read(HEAD)
        except OSError:
            return False

    def page_alone(self, run: str) -> str | None:
        """Return a run's page as it is outside of a site, without links to what lies beside it; None without a page."""
        try:
            text = (self.folder / "runs" / page_name(run)).read_text(encoding="utf-8")
        except OSError:
            return None
        head, found, rest = text.partition(f'<link rel="stylesheet" href="{_STYLE}">\n')
        text = _KEY.sub("", without_turns(head + rest if found else text), count=1)
        return text.replace(f'<a href="{_INDEX}">posthoc · all runs</a>', "posthoc", 1).replace(
            " &#39;self&#39;", "", 1
        )

    def finish(self, night: Night, notes: Sequence[Note] = (), *, scores: Sequence[Table] = ()) -> Path:
        """Write the index, then findings.json, remove stale pages; return the index's path.

        `notes` say what in the sources could not be looked at or is of a kind that is not read, `scores`
        are the tables of runs that log one value a metric.
        """
        told = [replace(note, message=short(note.message, TEXT)) for note in (*notes, *self._faults)]
        pages = index_pages(
            self._entries,
            night.sources,
            told,
            version=night.version,
            title=self._title,
            at=night.at,
            resolved=night.healed,
            vanished=night.vanished,
            across=night.across,
            nights=night.trend,
            scores=scores,
            histories=night.histories,
            costs=night.costs or (),
        )
        kept = {entry.page for entry in self._entries} | {page_of_job(one.job) for one in night.histories}

        def texts() -> Iterator[tuple[str, Callable[[TextIO], object]]]:
            for name, text in chain(self._histories(night), pages):
                kept.add(name)
                yield name, partial(_put, text)
            yield "findings.jsonl", lambda file: file.writelines(f"{line}\n" for line in self._lines)
            yield "findings.json", lambda file: write_document(night, file, self._lines)

        write_together(self.folder, texts())
        for page in chain(
            self.folder.glob("rows-*.html"), self.folder.glob("history-*.html"), self.folder.glob("runs/*.html")
        ):
            if page.name not in kept and _is_page(page):
                page.unlink(missing_ok=True)
        return self.folder / "index.html"

    def _histories(self, night: Night) -> Iterator[tuple[str, str]]:
        """Yield name and text of the page of each nightly job."""
        pages = {short(entry.run): entry.page for entry in self._entries if entry.page}

        def link(run: str) -> str:
            page = pages.get(short(run), "")
            return f"runs/{page}" if page else ""

        for one in night.histories:
            page = history_page([one], night.version, link=link, home="index.html", stylesheet=STYLESHEET)
            yield page_of_job(one.job), page


def _put(text: str, file: TextIO) -> None:
    file.write(text)


_INDEX, _STYLE = "../index.html", "../report.css"  # as a page in `runs/` names them


_KEY = re.compile(r'\n<meta name="posthoc-page" content="[^"]*">')


def _keyed(key: str) -> str:
    return f'{_WRITTEN.decode()}\n<meta name="posthoc-page" content="{key}">'


def write_page(
    folder: Path, result: Result, guides: Mapping[str, Guide], making: Provenance, key: str = ""
) -> tuple[Thumbnail, str]:
    """Write a run's page into a site's folder, in any process; `key` says what the page depends on.

    Return the run's small picture, and why the page has words alone, or "".
    """
    page, fault = page_or_plain(result, guides, making, home=_INDEX, stylesheet=_STYLE)
    write_text(folder / "runs" / page_name(result.run), page.replace(_WRITTEN.decode(), _keyed(key), 1))
    return (Thumbnail() if fault else thumbnail(result)), fault


def _claim(folder: Path) -> None:
    """Make sure that the folder is new, empty or ours, and mark it."""
    claim(folder, MARKER, "posthoc site")
    if (folder / "runs").is_symlink():
        raise OutputError(f"{folder / 'runs'} is a link; remove it, or give another folder with -o")
    try:
        (folder / "runs").mkdir(exist_ok=True)
        remove_abandoned(folder / "runs")
    except OSError as error:
        raise OutputError(f"{folder} cannot be used for the site: {error.strerror or error}") from error


def _is_page(page: Path) -> bool:
    """Whether a page of a run or of further rows is one that posthoc wrote, by its name and its first lines."""
    if not _PAGE.fullmatch(page.name) or page.is_symlink() or not page.is_file():
        return False
    with page.open("rb") as file:
        return _WRITTEN in file.read(HEAD)
