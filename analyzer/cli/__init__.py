"""The command `posthoc`: parses and calls, computes nothing. What is slow to import is imported where it is needed."""

from __future__ import annotations

import errno
import sys

from analyzer import __version__
from analyzer.cli.overview import HELP
from analyzer.cli.stdio import guarded, stdout_is_gone
from analyzer.errors import OutputError, PosthocError, SeveralRunsError

COULD_NOT_JUDGE, INTERRUPTED, PIPE_BROKEN = 2, 130, 141
MOST_NAMES = 20
LEAST_ADDRESS_SPACE = 1 << 28
"""Bytes without which numpy and its libraries end the process: they map 200 MB before the first number."""
TOO_LITTLE_MEMORY = "there is too little memory; raise the limit (ulimit -v, a container's), or judge with fewer --jobs"
NO_MEMORY = ("failed to map segment", "can't start new thread", "Cannot allocate memory")
"""What Python says where a library or a thread finds no memory, without raising MemoryError."""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 clean, 1 a finding at the gate, 2 could not judge."""
    with guarded():
        try:
            code = _answer(sys.argv[1:] if argv is None else list(argv))
            sys.stdout.flush()
        except BrokenPipeError:
            stdout_is_gone()
            return PIPE_BROKEN
        except OutputError as error:
            stdout_is_gone()
            _complain(error)
            return COULD_NOT_JUDGE
        except KeyboardInterrupt:
            sys.stderr.write("\nposthoc: interrupted; what was written so far is whole\n")
            return INTERRUPTED
        return code


def _answer(argv: list[str]) -> int:
    if argv in ([], ["help"]) or argv[0] in {"-h", "--help"}:
        sys.stdout.write(HELP)
        return 0
    if argv[0] == "--version":
        sys.stdout.write(f"posthoc {__version__}\n")
        return 0
    return _run(argv)


def _run(argv: list[str]) -> int:
    from analyzer.auditing.workers import native_threads  # noqa: PLC0415 - as the next one
    from analyzer.cli import parser  # noqa: PLC0415 - the overview answers at once, without a parser

    native_threads.keep_single()
    try:
        call = parser.parsed(argv)
        if call.verb is None:
            sys.stdout.write(call.text)
            return 0
        if call.verb == "compare":
            _check_memory()
            from analyzer.cli import compare_command  # noqa: PLC0415 - it judges no run, and needs no detector

            return compare_command.compare(call.options)
        _check_memory()
        from analyzer.cli import commands  # noqa: PLC0415 - help and wrong usage answer without numpy

        return commands.run(call.verb, call.options)
    except PosthocError as error:
        _complain(error)
        return COULD_NOT_JUDGE
    except BrokenPipeError:
        raise
    except Exception as error:
        if _is_lack_of_memory(error):
            sys.stderr.write(f"posthoc: {TOO_LITTLE_MEMORY}\n")
            return COULD_NOT_JUDGE
        import traceback  # noqa: PLC0415 - rarely needed

        from analyzer.model.redaction import mask_text  # noqa: PLC0415 - rarely needed

        sys.stderr.write(mask_text(traceback.format_exc()))
        sys.stderr.write("posthoc: this is a fault in posthoc itself; please report it with the lines above\n")
        return COULD_NOT_JUDGE


def _check_memory() -> None:
    """Raise PosthocError when this process may have too little memory for numpy, which would end it."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY and most < LEAST_ADDRESS_SPACE:
        raise PosthocError(TOO_LITTLE_MEMORY)


def _is_lack_of_memory(error: Exception) -> bool:
    """Whether an error says that there is no memory left: for an object, a library, a thread's stack or a process."""
    no_memory = isinstance(error, OSError) and error.errno == errno.ENOMEM
    return no_memory or isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY)


def _complain(error: PosthocError) -> None:
    from analyzer.cli.messages import safe  # noqa: PLC0415 - needed for mistakes only

    sys.stderr.write(f"posthoc: {safe(str(error))}\n")
    if isinstance(error, SeveralRunsError):
        sys.stderr.writelines(f"  {safe(name)}\n" for name in error.runs[:MOST_NAMES])
        if len(error.runs) > MOST_NAMES:
            sys.stderr.write(f"  and {len(error.runs) - MOST_NAMES} more\n")
