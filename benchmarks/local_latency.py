"""What the caller waits for with the local engine, from his last word to the first sound of an answer of about three
seconds that nobody has recorded, in real time: recognised and spoken on this machine, 0.7 s of silence. The AI
answers at once. Run it when the machine does nothing else: two cores are needed by the models alone.
"""

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audiosocket_sim.call_log.events import StageTook
from audiosocket_sim.running.runner import Options, Outcome
from audiosocket_sim.running.runner import run as run_scenario
from audiosocket_sim.scenario.loading import load
from benchmarks.machine import Unavailable
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "from the caller's last word to the first sound of a new answer of 3 s, real time, the local engine"

_GOAL_MS = 1500
_CALLS = 8
_ANSWERS = (
    "O morador não está em casa, quer deixar um recado?",
    "A sua entrega foi registrada, obrigado pela visita.",
    "O elevador de serviço fica à direita, pode subir.",
    "A portaria fecha às dez da noite, volte amanhã cedo.",
    "Só um momento, vou chamar o morador agora mesmo.",
    "A garagem está cheia, por favor estacione na rua.",
    "Vou avisar o zelador sobre o vazamento agora mesmo.",
    "O apartamento está vazio desde a semana passada.",
    "Pode repetir o nome do visitante, por favor?",
    "A administração abre amanhã às oito da manhã.",
    "Entendi, a encomenda fica aqui na portaria.",
    "O síndico volta depois do almoço, quer esperar?",
)
_SAYS = (
    "pt-br/meu_nome_e_joao_da_silva",
    "pt-br/quero_falar_com_a_administracao_do",
    "pt-br/pode_avisar_que_eu_cheguei",
)
_CALL = """\
summary: Three questions, and answers that nobody has recorded.
line: {{codec: ulaw, noise_dbfs: -55}}
server:
  greeting: {{delay_seconds: 0}}
  speech: {{engine: local, cache_folder: "{cache}"}}
  system: {{silence_threshold_seconds: 0.7}}
ai:
  - {{after: 0s, says: "{0}", set_call_status: USER_TURN}}
  - {{after: 0s, says: "{1}", set_call_status: USER_TURN}}
  - {{after: 0s, says: "{2}", set_call_status: STANDBY}}
steps:
  - expect: {{bot_speaks: {{at_least: 1s}}, within: 10s}}
  - say: {says[0]}
  - expect: {{bot_speaks: {{at_least: 1s}}, within: 15s}}
  - say: {says[1]}
  - expect: {{bot_speaks: {{at_least: 1s}}, within: 15s}}
  - say: {says[2]}
  - expect: {{hangs_up: server, within: 30s}}
"""


def run(quick: bool = False) -> list[Row]:
    try:
        import ctranslate2  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise Unavailable(f"{error}: pip install 'audiosocket-sim[local]'") from error
    stages: dict[str, list[float]] = defaultdict(list)
    for number in range(1 if quick else _CALLS):
        answers = [_ANSWERS[(3 * number + place) % len(_ANSWERS)] for place in range(3)]
        for stage, took_ms in _call(answers):
            stages[stage].append(took_ms)
    whole = stages.pop("whole")
    late = float(np.percentile(whole, 95))
    note = f"of {len(whole)} answers; median {np.median(whole):.0f}, worst {max(whole):.0f} ms"
    rows = [Row("last word to first sound, p95", late, "ms", note, f"<= {_GOAL_MS}", late <= _GOAL_MS)]
    for stage, took in stages.items():
        note = f"median {np.median(took):.0f} ms"
        rows.append(Row(f"  {stage.replace('_', ' ')}, p95", float(np.percentile(took, 95)), "ms", note))
    return rows


def _call(answers: Sequence[str]) -> list[tuple[str, float]]:
    """Each stage of each answer with its milliseconds; `whole` is from the last word to the first sound."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call.yaml"
        path.write_text(_CALL.format(*answers, says=_SAYS, cache=f"{folder}/cache"), encoding="utf-8")
        result = run_scenario(load(path), Options(real_time=True, trust=True))
    if result.outcome is not Outcome.PASSED:
        raise RuntimeError("; ".join(result.problems))
    found: list[tuple[str, float]] = []
    for took in (entry.event for entry in result.entries if isinstance(entry.event, StageTook)):
        if took.stage == "first_audio" and took.since_last_word_ms is None:  # the greeting
            continue
        found.append((took.stage, took.duration_ms))
        if took.stage == "first_audio":
            assert took.since_last_word_ms is not None
            found.append(("whole", took.since_last_word_ms))
    return found
