"""AudioSocket as a library: what one needs to write a server or a caller of one's own. docs/library.md.

Messages and the connection's rules (no input, output or clock), a transport for asyncio, a clock for packets of 20 ms,
and SLIN, the sound on the wire. Each name is imported when it is first used: `Connection` needs no numpy.
"""

import importlib
from typing import TYPE_CHECKING

__all__ = [
    "AUDIO_KIND",
    "AUDIO_KINDS",
    "HEADER_BYTES",
    "MAX_PAYLOAD_BYTES",
    "RATE_HZ",
    "RAW_SUFFIXES",
    "SAMPLE_BYTES",
    "SILENCE_DBFS",
    "UUID_BYTES",
    "AudioFileError",
    "AudioSocketError",
    "AudioSocketProtocol",
    "Connection",
    "EndCause",
    "EndKind",
    "Handler",
    "Kind",
    "Lateness",
    "LocalProtocolError",
    "Message",
    "Pacer",
    "RemoteProtocolError",
    "Role",
    "State",
    "TickHandle",
    "Ticker",
    "alaw_decode",
    "alaw_encode",
    "dtmf_digit",
    "duration_ms",
    "encode",
    "frame_bytes",
    "frames",
    "gain",
    "interleave",
    "is_audio",
    "is_silent",
    "level_dbfs",
    "mix",
    "peak",
    "read_audio",
    "resample",
    "sample_rate_hz",
    "silence",
    "ulaw_decode",
    "ulaw_encode",
    "uuid_message",
    "write_wav",
]

if TYPE_CHECKING:
    from audiosocket_core.connection import (
        Connection,
        Role,
        State,
    )
    from audiosocket_core.errors import (
        AudioSocketError,
        LocalProtocolError,
        RemoteProtocolError,
    )
    from audiosocket_core.messages import (
        AUDIO_KIND,
        AUDIO_KINDS,
        HEADER_BYTES,
        MAX_PAYLOAD_BYTES,
        RATE_HZ,
        UUID_BYTES,
        Kind,
        Message,
        dtmf_digit,
        encode,
        is_audio,
        sample_rate_hz,
        uuid_message,
    )
    from audiosocket_core.pacing import (
        Lateness,
        Pacer,
    )
    from audiosocket_core.slin import (
        RAW_SUFFIXES,
        SAMPLE_BYTES,
        SILENCE_DBFS,
        AudioFileError,
        alaw_decode,
        alaw_encode,
        duration_ms,
        frame_bytes,
        frames,
        gain,
        interleave,
        is_silent,
        level_dbfs,
        mix,
        peak,
        read_audio,
        resample,
        silence,
        ulaw_decode,
        ulaw_encode,
        write_wav,
    )
    from audiosocket_core.ticker import (
        Ticker,
        TickHandle,
    )
    from audiosocket_core.transport import (
        AudioSocketProtocol,
        EndCause,
        EndKind,
        Handler,
    )

_HOMES = ("errors", "messages", "connection", "transport", "pacing", "ticker", "slin")
"""Where the public names are defined; those that are quick to import come first."""


def __getattr__(name: str) -> object:
    if name in __all__:
        for home in _HOMES:
            module = importlib.import_module(f"{__name__}.{home}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
