"""AudioSocket Simple: the phone of a condominium, answered by an AI. The reference server and the example bot.

`serve` is what the import string `audiosocket_server:serve` of docs/targets.md names. It is imported at its first use,
because it needs the HTTP libraries.
"""

from typing import TYPE_CHECKING

__all__ = ["serve"]

if TYPE_CHECKING:
    from audiosocket_server.listener import serve


def __getattr__(name: str) -> object:
    if name == "serve":
        from audiosocket_server.listener import serve

        return serve
    raise AttributeError(f"module 'audiosocket_server' has no attribute {name!r}")
