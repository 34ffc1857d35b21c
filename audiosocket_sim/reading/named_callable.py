"""Finds a callable of the user's by its import string, and checks that it takes what it will be called with."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audiosocket_sim.import_string import import_object

__all__ = ["named_callable"]


def named_callable(
    who: str, import_string: str, folder: Path | None, arguments: tuple[object, ...], wanted: str
) -> Callable[..., Any]:
    """Return the callable. Imports it. Raises ValueError with one line that begins with `who`, such as `the judge a:b`.

    `folder`: where a module may lie that is not in the working folder. `arguments`: some like those that it will get.
    `wanted`: what an error says was expected.
    """
    module, _, attribute = import_string.partition(":")
    try:
        found: object = import_object(module, attribute, folder)
    except (Exception, SystemExit) as error:  # it is somebody's code, and may raise anything
        said = " ".join(str(error).split())
        kind = "" if isinstance(error, ImportError | AttributeError) else type(error).__name__
        raise ValueError(f"{who} cannot be imported: {': '.join(filter(None, (kind, said)))}") from error
    if not callable(found):
        raise ValueError(f"{who} is not callable: {wanted}")
    try:
        inspect.signature(found).bind(*arguments)
    except TypeError as error:
        raise ValueError(f"{who}: {error}; {wanted}") from None
    except ValueError:
        pass  # it does not say what it takes
    return found
