"""A judge gives an opinion on what the bot said: code of the user's, asked after the call, its answers kept on disk.

A judge is `async def judge(text, expected, call)`, or a plain function. `text` is what the bot said, `expected` the
text of the step, `call` a `JudgedCall`. It returns an object or a mapping with `ok` and `reason`, such as a
`JudgeVerdict`. An optional attribute `version` is a text that changes whenever its answers do (by default the hash of
its file).
"""

import asyncio
import inspect
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.kept_files import KeptFiles
from audiosocket_sim.reading.code_version import version_of
from audiosocket_sim.reading.named_callable import named_callable

__all__ = ["JudgeError", "JudgeVerdict", "JudgedCall", "SpeechJudge", "load_judge"]

_MOST_KEPT = 4_000
_WANTED = "expected judge(text, expected, call)"


class JudgeError(AudioSocketError):
    """A judge cannot be used, or has failed. The message is one line."""


@dataclass(frozen=True, slots=True)
class JudgeVerdict:
    """A judge's opinion: whether what the bot said is what was expected, and why, for people."""

    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JudgedCall:
    """The call that a judge is asked about: the scenario's name, and the whole transcript."""

    name: str
    transcript: str


class SpeechJudge:
    """One judge, with its cache. `name`: as the user wrote it."""

    def __init__(self, name: str, call: Callable[..., Any], cache: KeptFiles) -> None:
        self._name = name
        self._call = call
        self._cache = cache
        self._version = version_of(call)

    def opinion(self, text: str, expected: str, call: JudgedCall) -> JudgeVerdict:
        """Return the opinion on a text, as it was if it was asked before. Blocking. Raises JudgeError.

        The judge is called in a thread of its own, so that it may have an event loop, and is on the real clock.
        """
        key = tuple(part.encode(errors="replace") for part in ("judge", self._name, self._version, text, expected))
        kept = self._cache.get(*key)
        if kept is not None:
            try:
                return self._checked(json.loads(kept))
            except (ValueError, JudgeError):
                pass  # a file that somebody has damaged
        found = self._checked(self._asked(text, expected, call))
        self._cache.put(json.dumps({"ok": found.ok, "reason": found.reason}).encode(), *key)
        return found

    def _asked(self, *arguments: Any) -> Any:
        answers: list[Any] = []
        errors: list[Exception] = []

        def ask() -> None:
            try:
                answer = self._call(*arguments)
                answers.append(asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer)
            except Exception as error:  # noqa: BLE001 - it is somebody's code, and may raise anything
                errors.append(error)

        thread = threading.Thread(target=ask, name="judge")
        thread.start()
        thread.join()
        if errors:
            said = " ".join(f"{type(errors[0]).__name__}: {errors[0]}".split())
            raise JudgeError(f"the judge {self._name} failed: {said}") from errors[0]
        return answers[0] if answers else None

    def _checked(self, answer: object) -> JudgeVerdict:
        ok, reason = (
            answer.get(key) if isinstance(answer, Mapping) else getattr(answer, key, None) for key in ("ok", "reason")
        )
        if not isinstance(ok, bool):
            raise JudgeError(f"the judge {self._name} returned {answer!r:.80}: expected ok (true or false) and reason")
        return JudgeVerdict(ok, "" if reason is None else " ".join(str(reason).split()))


async def _awaited(answer: Any) -> Any:
    return await answer


def load_judge(name: str, cache_folder: Path, folder: Path | None = None) -> SpeechJudge:
    """Return the judge of this name, `module:callable`. Imports it. Raises JudgeError.

    `cache_folder`: where answers are kept. `folder`: where a module may lie that is not in the working folder.
    """
    try:
        found = named_callable(f"the judge {name}", name, folder, ("", "", None), _WANTED)
    except ValueError as error:
        raise JudgeError(str(error)) from error
    return SpeechJudge(name, found, KeptFiles(cache_folder, ".json", most_files=_MOST_KEPT))
