"""What is kept of a judged run: in the state, in a shard's file, and on the way from the process that judged it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Literal

from analyzer.auditing import cache_key
from analyzer.auditing.finding_history import data_digest
from analyzer.auditing.stored_curves import curves_text
from analyzer.model.codec import noun_of, text_of
from analyzer.model.result import Result, json_value
from analyzer.writers.index_row import Thumbnail
from analyzer.writers.page import Provenance

Pages = Literal["all", "problems"]
"""Which runs get a page: every one, or those with problems."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A result, kept without its curves, with the small picture that stands for them, and what its page shows.

    `page` is a digest as of page_mark(), "" where the run has no page; `fault` says why its page is one of words alone.
    `fits`: no text of the result is too long for a page. `course` is the main curve, thinned and packed, for the pages
    of its siblings; `making` is how the page of a run with one value a metric is made again when siblings change it.
    """

    result: Result
    picture: Thumbnail
    page: str
    fault: str = ""
    fits: bool = False
    course: str = ""
    making: Provenance | None = None

    def text(self) -> str:
        """Return the row without curves as one line of strict JSON."""
        return text_of(replace(self, result=replace(self.result.without_curves(), params=_plain_params(self.result))))

    def with_curves(self) -> str:
        """Return two lines: the text, and the curves of a run that has a page."""
        return f"{self.text()}\n{curves_text(self.result) if self.page else ''}"

    @classmethod
    def parsed(cls, text: str) -> RunRecord:
        """Return the row that text() or with_curves() wrote. ValueError or TypeError for what other code wrote."""
        return noun_of(cls, text.partition("\n")[0])


def page_key(result: Result, making: Provenance) -> str:
    """Return a digest of what a page shows and its log does not say: how it is made, what is suppressed, what draws it.

    It is worked out for every run of every audit, so it leaves out what does not change as long as a result is kept.
    """
    aside = [(finding.fingerprint, finding.suppressed) for finding in result.findings if finding.suppressed]
    return _digest((making, aside, result.verdict, result.sentence, cache_key.drawing_code()))


def page_mark(result: Result, making: Provenance) -> str:
    """Return the key and a digest of what is said of the run: two pages with one mark are the same."""
    said = text_of(replace(result, series=(), params=_plain_params(result)))
    return f"{page_key(result, making)}-{_digest((said, data_digest(result)))}"


def _plain_params(result: Result) -> tuple[tuple[str, Any], ...]:
    return tuple((name, json_value(value)) for name, value in result.params)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def wants_page(result: Result, pages: Pages) -> bool:
    """Whether a run gets a page."""
    return pages == "all" or result.verdict == "problems"
