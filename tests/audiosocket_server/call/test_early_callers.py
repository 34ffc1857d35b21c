"""Whole calls in virtual time: callers who begin around the bot's last word, on lines with its echo and without."""

from pathlib import Path

import pytest
from helpers.call_bench import ROOT

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.call_log.transcript import transcript
from audiosocket_sim.running.runner import Options, Outcome, run
from audiosocket_sim.scenario.loading import load

CALL = """
summary: The caller begins {onset_ms} ms after the last word of the greeting.
line: {{noise_dbfs: {noise_dbfs}{echo}}}
server: {{endpointing: {{echo_guard: true}}, system: {{silence_threshold_seconds: 0.7}}}}
quality: {{premature: allowed}}
ai:
  - {{hears: "{words}", says: "Até logo, tenha um bom dia.", set_call_status: STANDBY}}
steps:
  - say: {recording}
    at: {{after: bot_starts, by: {by_ms}ms}}
  - expect: {{bot_says: "Até logo, tenha um bom dia.", within: 5s}}
  - expect: {{hangs_up: {{who: server, dialplan: continues}}, within: 1s}}
"""
GREETING_MS = 2330  # from its first to its last audible sound
CALLERS = ("pt-br/quero_falar_com_o_apartamento_202", "en/my_name_is_john_smith_and", "pt-br/ate_logo_tenha_um_bom_dia")
BOOK = PhraseBook.load(ROOT / "recordings")
ECHOES = ("", "-12/20", "-12/120", "-20/300", "-30/200", "-40/60")
ONSETS_MS = range(-400, 801, 100)


@pytest.mark.every(78)
@pytest.mark.parametrize(
    ("onset_ms", "echo", "noise_dbfs"),
    [
        (onset_ms, echo, -57 if number % 2 else -70)
        for number, (onset_ms, echo) in enumerate((onset_ms, echo) for echo in ECHOES for onset_ms in ONSETS_MS)
    ],
)
def test_no_word_is_lost(onset_ms: int, echo: str, noise_dbfs: int, tmp_path: Path) -> None:
    gain_db, _, delay_ms = echo.partition("/")
    caller = BOOK.by_name(CALLERS[(onset_ms // 100) % 3])
    assert caller is not None
    path = tmp_path / "early.yaml"
    path.write_text(
        CALL.format(
            onset_ms=onset_ms,
            noise_dbfs=noise_dbfs,
            echo=f", echo: {{delay: {delay_ms}ms, gain_db: {gain_db}}}" if echo else "",
            words=caller.text,
            recording=caller.name,
            by_ms=GREETING_MS + onset_ms - caller.speech_start_ms,
        ),
        encoding="utf-8",
    )
    scenario = load(path)
    result = run(scenario, Options(artefacts=tmp_path / "out"))
    assert result.outcome is Outcome.PASSED, "\n".join([*result.problems, transcript(scenario, result.entries)])
