"""What posthoc raises, and nothing else on purpose.

PosthocError              one clear sentence: what, where, what to do; the command exits with 2
├── UsageError            the call's own words are wrong (options, names of symptoms, roles)
├── SettingsError         a settings file cannot be read, or has a key that does not exist
├── SourceError           a source is absent, unreadable as a whole, or of a kind that is not read
│   ├── NoRunsError       the source can be read, but there is no run in it
│   └── SeveralRunsError  one run was asked for, the source holds several
├── OutputError           a page or file cannot be written
└── StateError            the memory of last night is none, damaged, or cannot be written
"""


class PosthocError(Exception):
    """An error whose text is meant for the user; exit code 2."""


class UsageError(PosthocError):
    """The call's own words are wrong."""


class SettingsError(PosthocError):
    """A settings file cannot be read, or says something that does not exist."""


class SourceError(PosthocError):
    """A source is absent, unreadable as a whole, or of a kind that is not read."""


class NoRunsError(SourceError):
    """The source can be read, but holds no run."""


class SeveralRunsError(SourceError):
    """One run was asked for and the source holds several; `runs` has their names."""

    def __init__(self, message: str, runs: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.runs = runs


class OutputError(PosthocError):
    """A page or file cannot be written."""


class StateError(PosthocError):
    """The memory of last night is none, is damaged, or cannot be written; it is left as it is."""
