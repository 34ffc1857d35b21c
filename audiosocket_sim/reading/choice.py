"""What a reader may be called: `local`, `none`, or `module:callable`. Pure."""

from difflib import get_close_matches

__all__ = ["LOCAL", "LOCAL_IMPORT", "NO_READER", "names_code", "reader_problem"]

NO_READER = "none"
LOCAL = "local"
LOCAL_IMPORT = "audiosocket_server.speech.local.reading:read"
"""What `local` stands for: Whisper, of the extra [local]."""


def names_code(reader: str) -> bool:
    """Return whether the name is one of code that is not this project's."""
    return reader not in (NO_READER, LOCAL)


def reader_problem(reader: str) -> str | None:
    """Return what is wrong with the name of a reader; None if it has the form of one."""
    module, colon, name = reader.partition(":")
    parts = [*module.split("."), *name.split(".")]
    if not names_code(reader) or (colon and all(part.isidentifier() for part in parts)):
        return None
    near = get_close_matches(reader.lower(), (LOCAL, NO_READER), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"a reader is local, none, or module:callable, such as my_package.ears:read, not {reader!r}{hint}"
