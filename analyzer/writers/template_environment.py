"""Templates and what stands in every page: style, script, and the policy that allows these two and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from analyzer.model.formatting import counted, number
from analyzer.writers import phrases

_COUNTS = re.compile(
    r"(?:version|trial|run|fold|seed|rank|exp|experiment|attempt|job|ver|v)?[-_.]?[0-9]*"
    r"|lightning_logs|tensorboard(?:_logs)?|tb(?:_logs)?|logs?|runs|events?|mlruns",
    re.IGNORECASE,
)
"""Parts of a path that every run of a project has: numbered, or a logger's own folder."""

_BREAK = Markup("<wbr>")

_HERE = Path(__file__).parent.parent


def template_folder() -> Path:
    """Return where the templates lie: inside the installed package, or beside it in the project's folder."""
    inside = _HERE / "templates"
    return inside if inside.is_dir() else _HERE.parent / "templates"


def render(
    template: str, context: Mapping[str, Any], *, script: str = "", stylesheet: str = "", more_style: str = ""
) -> str:
    """Return a whole page. `script` names its own script, `stylesheet` is the address of an extra copy of the style.

    `more_style` names a style sheet of its own, after that of all pages.

    Whatever is filled in is escaped, and control and bidirectional characters in it are made visible.
    """
    frame = _frame(script, stylesheet, more_style)
    text = environment().get_template(template).render({**frame, "slots": template == "run.html", **context})
    while "\n\n" in text:  # a search for a string takes a twentieth of a regular expression over the whole page
        text = text.replace("\n\n", "\n")
    return text


def compile_templates(*templates: str) -> None:
    """Compile templates before they are needed: processes that are forked from this one find them compiled."""
    for template in templates:
        environment().get_template(template)


@cache
def _frame(script: str, stylesheet: str, more_style: str) -> Mapping[str, Any]:
    """Return what is the same in all pages of a kind."""
    style = asset("style.css") + (Markup("\n") + asset(more_style) if more_style else "")
    code = asset(script) if script else ""
    policy = _policy(str(style), str(code), beside=bool(stylesheet))
    return {"style": style, "script": code, "stylesheet": stylesheet, "policy": policy}


def _policy(style: str, script: str, *, beside: bool) -> str:
    """Return the content security policy: nothing from anywhere but this page's own style and script."""
    styles = f"'sha256-{_digest(style)}'" + (" 'self'" if beside else "")
    scripts = f"; script-src 'sha256-{_digest(script)}'" if script else ""
    return f"default-src 'none'; style-src {styles}{scripts}; img-src data:; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@cache
def asset(name: str) -> Markup:
    """Return a style sheet or script of ours without its comments and indentation."""
    text = (template_folder() / name).read_text(encoding="utf-8")
    text = re.sub(r"/\*[\s\S]*?\*/|^\s*//.*$", "", text, flags=re.MULTILINE)
    lines = (_squeezed(line.strip()) for line in text.splitlines())
    return Markup("\n".join(line for line in lines if line))  # noqa: S704 - our own file


def _squeezed(line: str) -> str:
    """Drop blanks around punctuation outside of quotes; those around `+` and `-` mean something in both languages."""
    return re.sub(r"""("[^"]*"|'[^']*')|(:)\s+|\s*([=<>?,;{}|&*]+)\s*""", lambda m: m[1] or m[2] or m[3], line)


@cache
def environment() -> jinja2.Environment:
    """Return the one environment: everything escaped, nothing undefined, foreign text made visible."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalized,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = _number
    made.filters["counted"] = counted
    for filter_ in ("whole", "measured", "beyond", "bare_limit", "duration", "moment", "span"):
        made.filters[filter_] = getattr(phrases, filter_)
    made.filters["changed"] = phrases.CHANGES.__getitem__
    made.filters["tagged"], made.filters["slashed"] = _tagged, _slashed
    made.filters["percent"], made.filters["capitalised"] = phrases.percent_of, _capitalised
    made.filters["paragraphs"], made.filters["spoken"] = _paragraphs, _spoken
    return made


def _finalized(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return phrases.visible(value, keep="\n")
    return value


def _tagged(text: str, tags: Iterable[str]) -> Markup:
    """Write a sentence with its full stop and a capital; a tag that it begins with stays as it is, set as one."""
    ended = text if text[-1:] in {".", "!", "?", ""} else text + "."
    first = next((tag for tag in sorted(tags, key=len, reverse=True) if tag and ended.startswith(tag)), "")
    rest = escape(phrases.visible(ended[len(first) :], keep="\n"))
    return Markup("<code>{}</code>{}").format(phrases.visible(first), rest) if first else Markup(_capitalised(rest))  # noqa: S704 - escaped above


def _slashed(path: str) -> Markup:
    """Write a path so that it breaks after its slashes, in full strength what names it: the last part, and one before.

    The part before is shown when the last one only counts, as `version_0` does.
    """
    parts = phrases.visible(path).split("/")
    strong = {len(parts) - 1, next((i for i in range(len(parts) - 1, -1, -1) if not _COUNTS.fullmatch(parts[i])), 0)}
    written, soft = Markup(), []
    for i, part in enumerate(parts):
        text = part + ("/" if i < len(parts) - 1 else "")
        if i not in strong:
            soft.append(text)
            continue
        written += _softly(soft) + escape(text) + (_BREAK if text.endswith("/") else "")
        soft = []
    return written


def _softly(parts: Sequence[str]) -> Markup:
    return Markup('<span class="above">{}</span>').format(_BREAK.join([*parts, ""])) if parts else Markup()


def _capitalised(text: str) -> str:
    """Begin a text with a capital letter, unless its first word is a name with a slash, a dot or a capital in it."""
    first = text.partition(" ")[0]
    plain = first.replace("-", "").isalpha() and first == first.lower()
    return text[:1].upper() + text[1:] if plain else text


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else number(value, digits)


def _spoken(text: str) -> Markup:
    """Write a guide's sentence with its *stressed* words and its `code` set as such."""
    marked = re.sub(r"(?<!\w)\*(\w[^*]*)\*(?!\w)", r"<em>\1</em>", escape(phrases.visible(text, keep="\n")))
    return Markup(re.sub(r"``?([^`]+)``?", r"<code>\1</code>", marked))  # noqa: S704 - escaped before


def _paragraphs(text: str) -> list[tuple[str, list[str]]]:
    """Split a guide's text into blocks: ("p", [text]) or ("ul" | "ol", items)."""
    return [_block(block) for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]


def _block(block: str) -> tuple[str, list[str]]:
    for kind, bullet in (("ul", r"[-*] "), ("ol", r"\d+\. ")):
        if re.match(bullet, block):
            items = re.split(rf"^\s*{bullet}", block, flags=re.MULTILINE)
            return kind, [" ".join(item.split()) for item in items if item.strip()]
    return "p", [" ".join(block.split())]
