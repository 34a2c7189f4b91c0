"""Completion scripts for bash, zsh and fish, made from the parsers themselves: verbs, options, and what options take.

They are generated rather than left to a library (argcomplete) because a script answers at once, where the library
starts Python at every press of TAB, and needs nothing installed beside the shell.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from analyzer.cli import parser as parser_module
from analyzer.cli.overview import VERBS

FILES = ("FILE", "DIR", "SOURCE", "RUN", "S")
"""What is completed by names of files, as help calls it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What stands behind an option or in a place: one of `words`, or a file; neither: nothing can be offered."""

    words: tuple[str, ...] = ()
    files: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """An option with all its names; `takes` is None for a flag."""

    names: tuple[str, ...]
    about: str
    takes: Taken | None


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb with its options, and what its places take."""

    name: str
    about: str
    options: tuple[Option, ...]
    places: Taken


def script(shell: str, symptoms: Iterable[str]) -> str:
    """Return the script for a shell of SHELLS."""
    known = tuple(sorted(symptoms))
    return _SCRIPTS[shell]([_verb(name, known) for name in VERBS])


def _verb(name: str, symptoms: tuple[str, ...]) -> Verb:
    parser = parser_module.parser_of(name)
    actions = parser._actions
    options = tuple(
        Option(tuple(one.option_strings), _about(one, parser), _taken(one, symptoms) if one.nargs != 0 else None)
        for one in actions
        if one.option_strings
    )
    places = [_taken(one, symptoms) for one in actions if not one.option_strings]
    return Verb(name, parser.description or "", options, (places or [Taken()])[0])


def _taken(action: argparse.Action, symptoms: tuple[str, ...]) -> Taken:
    if action.choices is not None:
        return Taken(tuple(map(str, action.choices)))
    shown = action.metavar if isinstance(action.metavar, str) else ""
    if shown.startswith("SYMPTOM"):
        return Taken(symptoms)
    return Taken(files=shown in FILES)


def _about(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    text = (action.help or "") % {**vars(action), "prog": parser.prog}
    return text.partition("; ")[0].partition(" (default")[0]


def _bash(verbs: Sequence[Verb]) -> str:
    cases = []
    for verb in verbs:
        behind = [
            f"        {'|'.join(one.names)}) {_bash_reply(one.takes)}; return ;;"
            for one in verb.options
            if one.takes is not None
        ]
        names = " ".join(name for one in verb.options for name in one.names)
        inner = "\n".join(['      case "$prev" in', *behind, "      esac"]) if behind else "      :"
        cases.append(
            f"    {verb.name})\n{inner}\n"
            f'      case "$cur" in -*) _posthoc_words "{names}"; return ;; esac\n'
            f"      {_bash_reply(verb.places)} ;;"
        )
    return _BASH.replace("VERBS", " ".join(VERBS)).replace("CASES", "\n".join(cases))


def _bash_reply(taken: Taken) -> str:
    if taken.files:
        return "_posthoc_files"
    return f'_posthoc_words "{" ".join(taken.words)}"' if taken.words else ":"


_BASH = """\
# bash completion for posthoc: eval "$(posthoc completion bash)", or save this in
# ~/.local/share/bash-completion/completions/posthoc
_posthoc_words() {
  local head="" part="$cur" word
  case "$cur" in *,*) head="${cur%,*},"; part="${cur##*,}" ;; esac
  while IFS= read -r word; do COMPREPLY+=("$head$word"); done < <(compgen -W "$1" -- "$part")
}
_posthoc_files() {
  local name
  type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$cur")
}
_posthoc() {
  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if [ "$cur" = "=" ]; then cur=""
  elif [ "$prev" = "=" ]; then prev="${COMP_WORDS[COMP_CWORD-2]}"
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then _posthoc_words "VERBS --help --version"; return; fi
  case "${COMP_WORDS[1]}" in
CASES
  esac
}
complete -F _posthoc posthoc
"""


def _zsh(verbs: Sequence[Verb]) -> str:
    offered = " ".join(_quoted(f"{verb.name}:{verb.about}") for verb in verbs)
    cases = []
    for verb in verbs:
        specs = [
            _quoted(f"{_zsh_names(one)}[{_bracketed(one.about)}]{_zsh_action(one.takes)}")
            if len(one.names) == 1
            else f"{_zsh_names(one)}{_quoted(f'[{_bracketed(one.about)}]{_zsh_action(one.takes)}')}"
            for one in verb.options
        ]
        specs.append(_quoted(f"*{_zsh_action(verb.places)}"))
        cases.append(f"    {verb.name}) _arguments -s {' '.join(specs)} ;;")
    return _ZSH.replace("VERBS", offered).replace("CASES", "\n".join(cases))


def _zsh_names(option: Option) -> str:
    return f"*{option.names[0]}" if len(option.names) == 1 else "{" + ",".join(option.names) + "}"


def _zsh_action(taken: Taken | None) -> str:
    if taken is None:
        return ""
    if taken.files:
        return ":file:_files"
    return f":value:({' '.join(taken.words)})" if taken.words else ":value: "


def _bracketed(text: str) -> str:
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


_ZSH = """\
#compdef posthoc
# zsh completion for posthoc: save this as _posthoc in a folder of $fpath, or eval "$(posthoc completion zsh)"
_posthoc() {
  if (( CURRENT == 2 )); then
    local -a verbs
    verbs=(VERBS)
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
CASES
  esac
}
if [ "$funcstack[1]" = "_posthoc" ]; then _posthoc "$@"; else compdef _posthoc posthoc; fi
"""


def _fish(verbs: Sequence[Verb]) -> str:
    lines = [
        "# fish completion for posthoc: posthoc completion fish > ~/.config/fish/completions/posthoc.fish",
        "complete -c posthoc -f",
    ]
    for verb in verbs:
        lines.append(f"complete -c posthoc -n __fish_use_subcommand -a {verb.name} -d {_fish_quoted(verb.about)}")
        here = f'-n "__fish_seen_subcommand_from {verb.name}"'
        lines += [f"complete -c posthoc {here}{_fish_taken(verb.places)}"] if verb.places != Taken() else []
        for one in verb.options:
            names = "".join(f" -l {n[2:]}" if n.startswith("--") else f" -s {n[1:]}" for n in one.names)
            takes = "" if one.takes is None else " -r" + _fish_taken(one.takes)
            lines.append(f"complete -c posthoc {here}{names}{takes} -d {_fish_quoted(one.about)}")
    return "\n".join(lines) + "\n"


def _fish_taken(taken: Taken) -> str:
    if taken.files:
        return " -F"
    return f' -f -a "{" ".join(taken.words)}"' if taken.words else " -f"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_SCRIPTS: Mapping[str, Callable[[Sequence[Verb]], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
