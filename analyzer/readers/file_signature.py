"""What a file that bears a log's name really is, judged by its first bytes."""

from __future__ import annotations

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a git-LFS pointer, not the {short} itself; fetch it with git lfs pull"),
    (b"fileFormatVersion:", "a Unity .meta file (YAML), not {log}"),
    (b"\x1f\x8b", "packed with gzip, not {log}; unpack it first"),
    (b"PK\x03\x04", "a zip archive, not {log}; unpack it first"),
    (b"BZh", "packed with bzip2, not {log}; unpack it first"),
    (b"\xfd7zXZ\x00", "packed with xz, not {log}; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd, not {log}; unpack it first"),
    (b"SQLite format 3\x00", "an sqlite database, not {log}"),
    (b"<!DOCTYPE", "an HTML page, not {log}; it was probably saved by a failed download"),
    (b"<html", "an HTML page, not {log}; it was probably saved by a failed download"),
    (b"%YAML", "a YAML file, not {log}"),
    (b"\x89PNG", "an image, not {log}"),
    (b"%PDF", "a PDF document, not {log}"),
    (b"\x89HDF", "an HDF5 file, not {log}"),
)


def disguise(head: bytes, log: str = "event file") -> str:
    """Return what the file is, in words that follow its name and a colon; `log` is the kind that its name promises."""
    return _found(head).format(short=log, log=f"{'an' if log[0] in 'aeiou' else 'a'} {log}")


def packed_or_absent(head: bytes) -> bool:
    """Whether the first bytes show that something else stands for the log: a pointer, an archive, zero bytes."""
    return bool(head) and (any(head.startswith(beginning) for beginning, _ in _BEGINNINGS) or not head.strip(b"\0"))


def _found(head: bytes) -> str:
    for beginning, what in _BEGINNINGS:
        if head.startswith(beginning):
            return what
    if not head.strip(b"\0"):
        return "nothing but zero bytes; the {short} was probably lost in a crash of the machine"
    if _is_text(head):
        return "a text file, not {log}"
    return "no intact record; it is damaged throughout or no {short}"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not merely the last character cut in two
            return False
        text = head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\r\n\t" for character in text)
