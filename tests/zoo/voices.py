"""The voices of the zoo's bots: each has a greeting, an answer and a goodbye. SLIN of 8 kHz."""

from functools import cache
from pathlib import Path

from audiosocket_core.phrase_book.synthetic_voice import render
from audiosocket_core.slin import gain, read_audio
from audiosocket_sim.scenario.paths import cache_folder

__all__ = ["HOLD", "TEXTS", "VOICES", "sentence"]

ROOT = Path(__file__).resolve().parents[2]
HOLD = ROOT / "audio" / "waiting.slin"
_PROMPTS, _RECORDINGS = ROOT / "audio" / "prompts", ROOT / "recordings"

VOICES: dict[str, dict[str, Path | str]] = {
    "doorman": {
        "greeting": _PROMPTS / "pt-br" / "condominio_apoena_em_que_posso_ajudar.wav",
        "answer": _PROMPTS / "pt-br" / "vou_verificar_aguarde_um_momento.wav",
        "goodbye": _PROMPTS / "pt-br" / "ate_logo_tenha_um_bom_dia.wav",
        "confirmed": _PROMPTS / "pt-br" / "a_autorizacao_foi_confirmada_pode_entrar.wav",
        "still_there": _PROMPTS / "pt-br" / "voce_ainda_esta_ai.wav",
        "short": _PROMPTS / "pt-br" / "pode_subir.wav",
    },
    "receptionist": {
        "greeting": _PROMPTS / "en" / "how_can_i_help_you.wav",
        "answer": _PROMPTS / "en" / "please_hold_while_i_check.wav",
        "goodbye": _PROMPTS / "en" / "goodbye.wav",
        "confirmed": _PROMPTS / "en" / "you_may_come_in_now.wav",
        "still_there": _PROMPTS / "en" / "how_can_i_help_you.wav",
        "short": _PROMPTS / "en" / "goodbye.wav",
    },
    "stranger": {
        "greeting": _RECORDINGS / "pt-br" / "sou_entregador_do_ifood_tenho_uma.wav",
        "answer": _RECORDINGS / "pt-br" / "preciso_falar_com_o_sindico_sobre.wav",
        "goodbye": _RECORDINGS / "pt-br" / "nao_obrigado_e_so_isso_mesmo.wav",
    },
    "foreigner": {
        "greeting": _RECORDINGS / "en" / "could_you_repeat_that_please.wav",
        "answer": _RECORDINGS / "en" / "my_name_is_john_smith_and.wav",
        "goodbye": _RECORDINGS / "en" / "no_thank_you_that_is_all.wav",
    },
    "synthetic": {
        "greeting": "Buenos días, ¿en qué puedo ayudarle?",
        "answer": "Un momento, por favor, voy a comprobarlo.",
        "goodbye": "Hasta luego, que tenga un buen día.",
    },
}
"""A file of each sentence, or its text for the synthetic voice. The first two are in the phrase book."""

TEXTS = {
    "Vou verificar, aguarde um momento.": "answer",
    "Até logo, tenha um bom dia.": "goodbye",
    "A autorização foi confirmada, pode entrar.": "confirmed",
    "Pode subir.": "short",
}
"""The sentence of each text of the AI backend, for the doorman."""


@cache
def sentence(voice: str, name: str, gain_db: float = 0.0) -> bytes:
    source = VOICES[voice][name]
    pcm = read_audio(source) if isinstance(source, Path) else render(source, "es", cache=cache_folder())
    return gain(pcm, gain_db) if gain_db else pcm
