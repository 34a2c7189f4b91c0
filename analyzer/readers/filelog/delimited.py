"""Tables with a separator (CSV, TSV, `;`), as loggers write and damage them.

Each physical line is read on its own, so that a stray quote costs a line and not the rest of the file. A line without
its end may have been cut inside a number and is never read. A row with too many or too few cells, with characters that
cannot be printed, or with text in a column of numbers is left out whole and named: what stands next to damage may
be the rest of another number.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.model.run import Note
from analyzer.readers.filelog import labels
from analyzer.readers.filelog.cells import BLANKS, is_number, number_of, time_of
from analyzer.readers.filelog.encodings import is_utf8, text_of
from analyzer.readers.filelog.rows import CLOCKS, Column, Stacked, Table, shown_name
from analyzer.readers.sanitize import distinct

SEPARATORS = ",;\t|"
LONGEST_LINE = 1 << 20  # characters
MOST_LINES_OF_A_ROW = 50  # of a quoted cell (a matrix) that spans lines
_BATCH = 1 << 16  # lines
MOST_UNCLOSED = 100  # quotes that are never closed, after which cells over several lines are not looked for
NAMED = 5  # damaged places named one by one


@dataclass
class _Damage:
    """Lines that were left out, and why; line numbers count from 1."""

    file: str
    lines: list[tuple[int, str]] = field(default_factory=list)

    def notes(self) -> Iterator[Note]:
        for line, why in sorted(self.lines)[:NAMED]:
            yield Note("damage", f"{self.file}: line {line} was left out: {why}", self.file)
        rest = sorted(self.lines)[NAMED:]
        if rest:
            span = f"the first in line {rest[0][0]}, the last in line {rest[-1][0]}"
            yield Note("damage", f"{self.file}: {len(rest)} further damaged line(s) were left out, {span}", self.file)


def parse(raw: bytes, shown: str) -> Table:
    """Return the table in a file; `shown` is how notes name it. Never raises for what the file holds."""
    table, damage, rows = _parsed(text_of(raw), shown)
    undecodable = [line for line, why in damage.lines if why is _UNPRINTABLE]
    if is_utf8(raw) and len(undecodable) > rows and b"\0" not in raw:
        again, other, more = _parsed(raw.decode("latin-1"), shown)  # not damage, but another encoding
        if more > rows:
            table, damage = again, other
            table.notes.append(Note("metadata", f"{shown}: not UTF-8; its texts were read as Latin-1", shown))
    table.notes += damage.notes()
    return table


_UNPRINTABLE = "it holds bytes that are not text"


def _parsed(text: str, shown: str) -> tuple[Table, _Damage, int]:
    table, damage = Table(), _Damage(shown)
    lines = text.replace("\r\n", "\n").split("\n")
    tail = lines.pop()
    start = _begin(lines, table)
    if start is not None:
        _Body(lines, start, table, damage).read()
    _torn(tail, len(lines) + 1, shown, table)
    if table.texts:
        names = ", ".join(f"“{shown_name(name)}”" for name in table.texts[:NAMED])
        more = f" and {len(table.texts) - NAMED} more" if len(table.texts) > NAMED else ""
        table.notes.append(Note("not-scalar", f"{shown}: columns without numbers were left out: {names}{more}", shown))
    return table, damage, table.size


def _begin(lines: list[str], table: Table) -> int | None:
    """Return the place of the header; comment lines in front of it are kept."""
    for place, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith("#") and not any(separator in stripped for separator in "\t;"):
            table.preamble.append(stripped)
        elif stripped:
            return place
    return None


def _torn(tail: str, line: int, shown: str, table: Table) -> None:
    if tail.strip():
        size = len(tail.encode("utf-8", "surrogateescape"))
        text = f"{shown}: the last line ({line}) has no end; it may be cut, and its {size} bytes were not read"
        table.notes.append(Note("torn-tail", text, shown, size=size))


def separator_of(header: str) -> str:
    """Return the separator that divides a header into most names; a blank where no other one is in it."""
    found = max(SEPARATORS, key=lambda one: (header.count(one), -SEPARATORS.index(one)))
    return found if found in header or " " not in header.strip() else " "


def squeezed(line: str, separator: str) -> str:
    """Return a line whose cells are divided by one separator each: blanks that align columns are one."""
    return " ".join(line.split()) if separator == " " else line


class _Body:
    """The lines behind a header: read many at a time where all are plain rows of numbers, else one by one."""

    def __init__(self, lines: list[str], start: int, table: Table, damage: _Damage) -> None:
        self._lines, self._place, self._table, self._damage, self._rows = lines, start + 1, table, damage, Stacked()
        self._separator = separator_of(lines[start])
        if self._separator == " ":
            self._lines = [squeezed(line, " ") for line in lines]
        self._names = _names(_cells(self._lines[start], self._separator) or [lines[start]])
        self._repeated = self._changed = self._unclosed = 0

    def read(self) -> None:
        """Fill the table."""
        while self._place < len(self._lines):
            batch = self._lines[self._place : self._place + _BATCH]
            columns = _plain(batch, self._separator, len(self._names))
            if columns is None:
                self._one_by_one(min(self._place + _BATCH, len(self._lines)))
            else:
                self._place += len(batch)
                self._rows.add(dict(zip(self._names, columns[1], strict=True)), {}, columns[0])
        self._rows.into(self._table)
        if self._repeated or self._changed:
            what = f"comes again {self._repeated} time(s)" if self._repeated else f"changes {self._changed} time(s)"
            text = f"{self._damage.file}: its header {what}; the rows are read one behind the other"
            self._table.notes.append(Note("layout", text, self._damage.file))

    def _one_by_one(self, stop: int) -> None:
        """Read the lines up to `stop`, or behind it where a quoted cell goes on there."""
        rows: list[Sequence[str]] = []
        numbers: list[int] = []
        while self._place < stop:
            number, line = self._place + 1, self._lines[self._place]
            cells = self._next()
            if not line or line.isspace():
                continue
            if len(line) > LONGEST_LINE:
                self._damage.lines.append((number, f"it is longer than {LONGEST_LINE:,} characters"))
            elif cells is not None and line.lstrip(' "')[:1].isalpha() and _is_header(cells):
                names = _names(cells)
                self._repeated += names == self._names
                if names != self._names:
                    self._take(rows, numbers)
                    rows, numbers, self._names = [], [], names
                    self._changed += 1
            elif why := _fault(line, cells, len(self._names), self._separator):
                self._damage.lines.append((number, why))
            else:
                rows.append(cells or [])
                numbers.append(number)
        self._take(rows, numbers)

    def _take(self, rows: list[Sequence[str]], lines: list[int]) -> None:
        _take(self._names, rows, lines, self._rows, self._damage, separator=self._separator)

    def _next(self) -> list[str] | None:
        """Return the cells of the row that begins here, None where a quote is not closed; go on behind it."""
        line = self._lines[self._place]
        self._place += 1
        if '"' not in line:
            return line.split(self._separator)
        further = MOST_LINES_OF_A_ROW if self._unclosed < MOST_UNCLOSED else 0
        cells, self._place = _quoted(self._lines, self._place, self._separator, len(self._names), further)
        self._unclosed += cells is None
        return cells


def _plain(lines: list[str], separator: str, width: int) -> tuple[int, list[Column]] | None:
    """Return the number of rows and the columns of lines that are rows of numbers and nothing else; None else."""
    held = [line for line in lines if line]
    if any(line.count(separator) != width - 1 or len(line) > LONGEST_LINE for line in held):
        return None
    text = separator.join(held)
    if '"' in text or "_" in text or not text.isascii() or not text.replace("\t", "").isprintable():
        return None
    try:
        if held and width > 1 and f"{separator}{separator}" not in f"{separator}{text}{separator}":
            rows = np.loadtxt(held, np.float64, comments=None, delimiter=separator, ndmin=2)
            at = np.arange(len(held))
            return len(held), [Column(at, np.ascontiguousarray(rows[:, one])) for one in range(width)]
        cells = text.split(separator) if held else []
        return len(held), [_floats(cells[at::width]) for at in range(width)]
    except ValueError:
        return None


def _floats(cells: list[str]) -> Column:
    """Return the numbers of cells that are numbers or empty; ValueError otherwise."""
    if "" not in cells:
        return Column(np.arange(len(cells)), np.array(list(map(float, cells)), np.float64))
    at = [row for row, cell in enumerate(cells) if cell]
    return Column(np.array(at, np.int64), np.array([float(cells[row]) for row in at], np.float64))


def _fault(line: str, cells: list[str] | None, width: int, separator: str) -> str:
    """Return why a line cannot be read as a row, "" when it can; blank cells behind the last one are removed."""
    if cells is None:
        return "a quotation mark in it is never closed"
    if not (line if separator != "\t" else line.replace("\t", "")).rstrip("\r").replace("\t", "").isprintable():
        return _UNPRINTABLE
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    return "" if len(cells) == width else f"it has {len(cells)} cells under a header of {width}"


def _cells(line: str, separator: str) -> list[str] | None:
    """Return the cells of one line with quotes undone; None when a quote is not closed."""
    line = line.rstrip("\r")
    if '"' not in line:
        return line.split(separator)
    if line.count('"') % 2:
        return None
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return None


def _quoted(lines: list[str], place: int, separator: str, width: int, further: int) -> tuple[list[str] | None, int]:
    """Return the cells of the line before `place`, with lines that a quoted cell goes on in, and where to go on.

    At most `further` lines are looked at; None where the quote is not closed in them.
    """
    line = lines[place - 1]
    for stop in range(place, min(place + further, len(lines)) + 1):
        if stop > place:
            line += " " + lines[stop - 1]
        if len(line) > LONGEST_LINE:
            break
        cells = _cells(line, separator)
        if cells is not None and (stop == place or len(cells) == width):
            return cells, stop
    return None, place


def _names(cells: Sequence[str]) -> list[str]:
    taken: dict[str, object] = {}
    for place, cell in enumerate(cells):
        taken[distinct(cell.strip().strip('"').strip() or f"column {place + 1}", taken)] = None
    return list(taken)


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a line in the middle is a header: names only, each once, and no value among them."""
    own = [cell.strip() for cell in cells]
    names = [cell for cell in own if cell and cell not in BLANKS]
    printable = all(name.isprintable() for name in names)
    return len(names) == len(own) == len(set(names)) > 1 and printable and not any(map(is_number, names))


def _take(
    names: list[str], rows: list[Sequence[str]], lines: list[int], taken: Stacked, damage: _Damage, *, separator: str
) -> None:
    """Put rows behind those that have come; `lines` are their numbers in the file."""
    found: dict[str, Column] = {}
    words: dict[str, Sequence[str]] = {}
    bad: dict[int, str] = {}
    for name, cells in zip(names, zip(*rows, strict=True), strict=False):
        column, wrong = _numbers(cells, separator)
        if len(wrong) > column.at.size and name.lower() in CLOCKS:
            column, wrong = _times(cells)
        if len(wrong) > column.at.size:
            if name.lower() in labels.NAMES:
                words[name] = cells
            else:
                taken.texts[name] = None
            continue
        bad |= dict.fromkeys(wrong, name)
        found[name] = column
    for row, name in bad.items():
        damage.lines.append((lines[row], f"“{shown_name(name)}” is not a number there"))
    kept = np.ones(len(rows), bool)
    kept[list(bad)] = False
    place = np.cumsum(kept) - 1
    intact = {}
    for name, column in found.items():
        whole = kept[column.at]
        intact[name] = Column(place[column.at[whole]].astype(np.int64), column.values[whole])
    there = np.flatnonzero(kept).tolist()
    taken.add(intact, {name: [said[row].strip() for row in there] for name, said in words.items()}, len(there))


def _times(cells: Sequence[str]) -> tuple[Column, list[int]]:
    """Return the times of a column in Unix seconds, and the rows with something that is neither a time nor blank."""
    held = {row: time_of(cell) for row, cell in enumerate(cells) if cell.strip() not in BLANKS}
    known = {row: seconds for row, seconds in held.items() if seconds is not None}
    column = Column(np.array(list(known), np.int64), np.array(list(known.values()), np.float64))
    return column, [row for row, seconds in held.items() if seconds is None]


def _numbers(cells: Sequence[str], separator: str) -> tuple[Column, list[int]]:
    """Return the numbers of a column, and the rows with something that is neither a number nor blank."""
    at = [row for row, cell in enumerate(cells) if cell and not cell.isspace()]
    held = [cells[row] for row in at]
    joined = "".join(held)
    if joined.isascii() and "_" not in joined:
        try:
            return Column(np.array(at, np.int64), np.array(list(map(float, held)), np.float64)), []
        except ValueError:
            pass
    rows, values, wrong = [], [], []
    for row, cell in zip(at, held, strict=True):
        text = cell.strip()
        number = number_of(text, separator)
        if number is not None:
            rows.append(row)
            values.append(number)
        elif text not in BLANKS:
            wrong.append(row)
    return Column(np.array(rows, np.int64), np.array(values, np.float64)), wrong
