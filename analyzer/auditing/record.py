"""What is kept of a judged run: in the state, in a shard's file, and on the way from the process that judged it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from analyzer.model.codec import noun_of, text_of
from analyzer.model.result import Result, json_value
from analyzer.writers.index_row import Thumbnail
from analyzer.writers.page import Provenance

Pages = Literal["all", "problems"]
"""Which runs get a page: every one, or those with problems."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A result without its curves, the small picture in their place, and what its page shows.

    `page` is a digest as of page_key(), "" where the run has no page; `fault` says why its page is one of words alone.
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
        """Return the row as one line of strict JSON."""
        params = tuple((name, json_value(value)) for name, value in self.result.params)
        return text_of(replace(self, result=replace(self.result.without_curves(), params=params)))

    @classmethod
    def parsed(cls, text: str) -> RunRecord:
        """Return the row that text() wrote. ValueError or TypeError for what other code wrote."""
        return noun_of(cls, text)


def page_key(result: Result, making: Provenance) -> str:
    """Return a digest of what a page shows and the log does not tell: how it is made, and what was set aside."""
    aside = [(finding.fingerprint, finding.suppressed) for finding in result.findings if finding.suppressed]
    shown = (making.version, making.command, making.changed, aside, result.verdict, result.sentence)
    return hashlib.sha256(repr(shown).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def wants_page(result: Result, pages: Pages) -> bool:
    """Whether a run gets a page."""
    return pages == "all" or result.verdict == "problems"
