"""Words that stand in no phrase book: what the ear learns while a call runs, and what the caller's `says` is for."""

from typing import Any

import pytest

from audiosocket_sim import CallNotJudged, Outcome, Result, place_call
from audiosocket_sim.virtual_time import run as run_virtually

SERVER = "audiosocket_server:serve"
OWN_GREETING = {"greeting": {"message": "Aqui é o prédio novo."}}
TECHNICIAN = [{"hears": "o portão da garagem", "says": "O técnico chega amanhã.", "set_call_status": "STANDBY"}]


@pytest.mark.long("a text that nobody named cannot be read, and a voice of one's own speaks each once")
def test_a_text_that_is_expected_before_it_is_spoken_is_learnt() -> None:
    async def main() -> Result:
        async with place_call(SERVER, server=OWN_GREETING, artefacts=None) as call:
            heard = await call.expect_says("Aqui é o prédio novo.", part=False)
            assert (heard.voice, heard.text) == ("synthetic", "Aqui é o prédio novo.")
        return call.result

    assert run_virtually(main).outcome is Outcome.PASSED


def test_a_part_of_a_text_that_nobody_named_cannot_be_read() -> None:
    async def main() -> None:
        async with place_call(SERVER, server=OWN_GREETING, artefacts=None) as call:
            await call.expect_says("prédio")

    with pytest.raises(CallNotJudged, match="its voice is not in the phrase book"):
        run_virtually(main)


@pytest.mark.long("words that nobody named cannot be read")
@pytest.mark.parametrize(("says", "understood"), [((), False), (["O portão da garagem não abre."], True)])
def test_own_words_of_the_caller_are_told_beforehand(says: Any, understood: bool) -> None:
    async def main() -> None:
        async with place_call(SERVER, ai=TECHNICIAN, says=says, artefacts=None) as call:
            await call.expect_says("em que posso ajudar")
            await call.say(text="O portão da garagem não abre.")
            asked = await call.expect_backend_asked("portão", within=6)
            assert asked.content == "O portão da garagem não abre."
            answer = await call.expect_says("técnico chega", within=6)
            assert answer.voice == "synthetic"

    if understood:
        run_virtually(main)
        return
    with pytest.raises(AssertionError, match="the backend is asked “portão”"):
        run_virtually(main)
