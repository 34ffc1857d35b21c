"""Calls in Python that count from events, go one of several ways, and have hooks; each as in YAML."""

from typing import Any

import pytest

from audiosocket_sim import CallArgumentError, CallFailed, CallNotJudged, PhoneCall, event, place_call
from audiosocket_sim.virtual_time import run as run_virtually

BOT = "helpers.scripted_bot:serve"
HELLO = [0.5, "say", "pt-br/pode_subir"]  # heard from 0.810 to 1.800


def calls(body: Any, *script: Any, **keys: Any) -> PhoneCall:
    made = place_call(BOT, name="test", server={"script": list(script)}, artefacts=None, **keys)

    async def main() -> None:
        async with made as call:
            await body(call)

    run_virtually(main)
    return made


def test_a_step_counts_from_an_event() -> None:
    async def body(call: PhoneCall) -> None:
        pressed = await call.dtmf("1", after=event("bot_stops", 1))
        assert pressed.at == 2.8
        await call.never_speaks(0.1, while_="caller_speaks")

    assert calls(body, HELLO).result.passed


def test_one_of_several_ways_and_what_may_happen() -> None:
    async def body(call: PhoneCall) -> None:
        taken = await call.any_of({"hold_audio": "playing", "within": "9s"}, {"bot_says": "Pode subir."})
        assert (taken.index, taken.at, taken.until) == (1, 0.81, 1.8)
        assert await call.happens({"bot_speaks": "200ms", "within": "1s"}) is None
        again = await call.happens({"bot_speaks": "200ms", "within": "4s"})
        assert again is not None
        assert again.at == 5.31

    assert calls(body, HELLO, [5.0, "say", "pt-br/pode_subir"]).result.passed


def test_a_call_that_goes_none_of_the_ways() -> None:
    async def body(call: PhoneCall) -> None:
        await call.any_of({"hold_audio": "playing", "within": "1s"}, {"bot_says": "Sim.", "within": "1s"})

    with pytest.raises(CallFailed, match=r"one of: \(1\) hold audio playing, .*; or \(2\) the bot says"):
        calls(body)


def test_wrong_arguments_are_refused_before_anything_is_done() -> None:
    with pytest.raises(CallArgumentError, match=r"event: after: must be bot_starts, .* not 'bot_start'; did you mean"):
        event("bot_start")
    with pytest.raises(CallArgumentError, match=r"event: by: seconds"):
        event("bot_starts", -1)
    with pytest.raises(CallArgumentError, match=r"place_call: before: 1. get: an address begins with"):
        place_call(BOT, before=[{"get": "ftp://x"}])


def test_hooks_around_a_call() -> None:
    async def body(call: PhoneCall) -> None:
        await call.wait(0.1)

    with pytest.raises(CallNotJudged, match=r"before, hook 1 .*: the target has no control URL"):
        calls(body, before=[{"get": "{control_url}/x"}])
    with pytest.raises(CallFailed) as failed:
        calls(body, after=[{"command": ["false"]}])
    (failure,) = failed.value.result.failures
    assert (failure.what, failure.happened) == ("after, hook 1 (command false)", ("exit code 1",))
