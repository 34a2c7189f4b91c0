"""What a file that bears an event file's name really is, told from its first bytes."""

from __future__ import annotations

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a git-LFS pointer, not the event file itself; fetch it with git lfs pull"),
    (b"fileFormatVersion:", "a Unity .meta file (YAML), not an event file"),
    (b"\x1f\x8b", "packed with gzip, not an event file; unpack it first"),
    (b"PK\x03\x04", "a zip archive, not an event file; unpack it first"),
    (b"BZh", "packed with bzip2, not an event file; unpack it first"),
    (b"\xfd7zXZ\x00", "packed with xz, not an event file; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd, not an event file; unpack it first"),
    (b"SQLite format 3\x00", "an sqlite database, not an event file"),
    (b"<!DOCTYPE", "an HTML page, not an event file; it was probably saved by a failed download"),
    (b"<html", "an HTML page, not an event file; it was probably saved by a failed download"),
    (b"%YAML", "a YAML file, not an event file"),
    (b"\x89PNG", "an image, not an event file"),
    (b"%PDF", "a PDF document, not an event file"),
    (b"\x89HDF", "an HDF5 file, not an event file"),
)


def disguise(head: bytes) -> str:
    """Return what the file is, in words that follow its name and a colon."""
    for beginning, what in _BEGINNINGS:
        if head.startswith(beginning):
            return what
    if not head.strip(b"\0"):
        return "nothing but zero bytes; the event file was probably lost in a crash of the machine"
    if _is_text(head):
        return "a text file, not an event file"
    return "no intact record; it is damaged throughout or no event file"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not merely the last character cut in two
            return False
        text = head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\r\n\t" for character in text)
