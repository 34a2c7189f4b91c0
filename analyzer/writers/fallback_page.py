"""The page of a run whose own page could not be drawn: what was found, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from analyzer.model.guide import Guide
from analyzer.model.redaction import mask_text
from analyzer.model.result import Result
from analyzer.writers import template_environment
from analyzer.writers.page import Provenance, run_page
from analyzer.writers.truncation import shortened


def page_or_plain(
    result: Result, guides: Mapping[str, Guide], making: Provenance, *, home: str = "", stylesheet: str = ""
) -> tuple[str, str]:
    """Return the run's page and "", or, when drawing it raises, a page of words alone and the fault in a sentence."""
    try:
        return run_page(result, guides, making, home=home, stylesheet=stylesheet), ""
    except Exception as error:  # a fault in drawing must cost the pictures of this run only
        fault = f"the page could not be drawn ({type(error).__name__}: {error})".splitlines()[0]
        fault = f"{mask_text(fault)[:300]}; this is a fault in posthoc itself, please report it"
        context = {"result": shortened(result), "making": making, "home": home, "fault": fault}
        return template_environment.render("plain.html", context, stylesheet=stylesheet), fault
