"""AudioSocket Simple: a condominium's phone, answered by an AI. The reference server, and the example bot.

`serve` is the import string `audiosocket_server:serve` of docs/targets.md. It is imported late, since it brings the
HTTP stack.
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
