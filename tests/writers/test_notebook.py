"""A result shows itself in a notebook without script or style."""

import made

from writers.markup import Markup


def test_every_result_has_a_fragment_that_stays_in_its_place():
    for name in ("overfitted", "healthy", "unjudged", "failed", "hostile"):
        html = getattr(made, name)()._repr_html_()
        read = Markup(html)
        assert not read.scripts and not read.styles
        assert not any(n == "style" or n.startswith("on") for _, n, _ in read.attributes)
        assert not set(html) & set("\x1b\u202e\x00")
    assert "Use the checkpoint of step 400" in Markup(made.overfitted()._repr_html_()).words
