"""What the tests want of every page: well-formed, safe under the strictest policies, and no link into nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "wbr", "hr", "img", "input"}


class Markup(HTMLParser):
    """Reads a page as a browser would and remembers what matters."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute of <{tag}> stands twice"
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        if tag in {"p", "li", "td", "th", "dt", "dd", "details", "summary", "h2", "h3", "h4", "span"}:
            self.text.append(" ")
        if tag == "script":
            self.scripts.append((given, ""))
        if tag == "style":
            self.styles.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            given, text = self.scripts[-1]
            self.scripts[-1] = (given, text + data)
        elif self.open[-1:] == ["style"]:
            self.styles[-1] += data
        else:
            self.text.append(data)

    @property
    def words(self) -> str:
        """The text that is seen, blanks folded."""
        return " ".join("".join(self.text).split())


def check_page(page: str) -> Markup:
    """Assert what holds for every page and return it as read."""
    read = Markup(page)
    assert len(read.ids) == len(set(read.ids)), "an id stands twice"
    for link in read.links:
        if link.startswith("#"):
            assert link[1:] in read.ids, f"{link} leads nowhere"
    assert not any(name == "style" or name.startswith("on") for _, name, _ in read.attributes)
    for tag, name, value in read.attributes:
        assert not (name in {"src", "href"} and re.match(r"(https?:)?//|javascript:", value or "")), (tag, value)
    assert len(read.styles) == 1 and "@import" not in read.styles[0] and "url(" not in read.styles[0]
    policy = next(v for t, n, v in read.attributes if t == "meta" and n == "content" and v and "default-src" in v)
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    own = [text for given, text in read.scripts if given.get("type") != "application/json"]
    for text in [*own, *read.styles]:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not any(c in page for c in "\x00\x1b\u202e\u2066\u2028\u2029")
    return read
