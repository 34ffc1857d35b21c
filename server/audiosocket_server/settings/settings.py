"""Settings of the server: `config.json`, then `.env`, then the environment; the later wins. Frozen once made.

Every key has its default, its limits and its meaning here; docs/server.md (Settings) is made of these lines and a test
holds it to them. A wrong key or value is a `ConfigError` that names it. This module starts nothing, opens no port and
chooses no engine. `load_settings` is for the live server; a server under a scenario takes `Settings.from_overrides`,
which reads neither file nor environment.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_server.settings.errors import ConfigError, SettingSource, validated

__all__ = [
    "FLAT_NAMES",
    "HERMETIC",
    "PROJECT_ROOT",
    "AiSettings",
    "AudioSettings",
    "ConfigError",
    "EndpointingSettings",
    "GreetingSettings",
    "LimitSettings",
    "ServerSettings",
    "Settings",
    "SpeechSettings",
    "SystemSettings",
    "load_settings",
    "project_path",
]

PROJECT_ROOT = SHIPPED

# The names that users of the original know; every other key is SECTION__KEY.
FLAT_NAMES: Mapping[str, tuple[str, str]] = {
    "AZURE_SPEECH_KEY": ("speech", "azure_key"),
    "AZURE_SPEECH_REGION": ("speech", "azure_region"),
    "AZURE_SPEECH_ENDPOINT": ("speech", "azure_endpoint"),
    "SILENCE_THRESHOLD_SECONDS": ("system", "silence_threshold_seconds"),
    "AI_API_URL": ("ai", "api_url"),
    "SPEECH_ENGINE": ("speech", "engine"),
    "CONTROL_TOKEN": ("server", "control_token"),
}

# A server under a scenario takes these, unless the scenario says otherwise: nothing that depends on what there is,
# and nothing that compares floats, which another processor may round otherwise.
HERMETIC: Mapping[str, Mapping[str, object]] = {
    "speech": {"engine": "embedded"},
    "endpointing": {"engine": "webrtc", "echo_guard": False},
}


def project_path(path: str) -> Path:
    """A path of the settings as a file: `~` is the home folder, a relative one lies in the project's own folder."""
    return PROJECT_ROOT / Path(path).expanduser()


# --- the settings -------------------------------------------------------------------------------------------------


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a number, not true or false")
    return value


def _web_address(value: str) -> str:
    """Without blanks and trailing slashes: `http://host/messages/` is `http://host/messages`."""
    try:
        parts = urlsplit(value.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        usable = usable and value.isprintable() and " " not in value.strip()
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("expected an address such as http://localhost:8000/messages")
    return urlunsplit(parts._replace(path=parts.path.rstrip("/"), fragment=""))


def _speech_address(value: str) -> str:
    """An address of a speech service: as it is, without blanks around it."""
    value = value.strip()
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("wss", "https", "ws", "http") and parts.hostname and parts.port != 0
        usable = usable and value.isprintable() and " " not in value and parts.username is None
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("expected an address such as https://NAME.cognitiveservices.azure.com or ws://127.0.0.1:5000")
    return value


def _region(value: str) -> str:
    if not (value.isascii() and value.isalnum() and value == value.lower()):
        raise ValueError("expected a region as Azure writes it in addresses, such as brazilsouth")
    return value


def _engine(value: str) -> str:
    """One of ours, or `module:callable` of somebody else's."""
    module, _, name = value.partition(":")
    if value not in ("azure", "local", "embedded") and not (
        name.isidentifier() and all(part.isidentifier() for part in module.split("."))
    ):
        raise ValueError("expected azure, local, embedded or module:callable")
    return value


def _token(value: SecretStr) -> SecretStr:
    """Long enough not to be guessed, and fit for a header."""
    text = value.get_secret_value()
    if len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected 16 characters or more, ASCII, without blanks")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Number = Annotated[float, BeforeValidator(_no_bool), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_no_bool)]
Seconds = Annotated[Number, Field(ge=0)]
PositiveSeconds = Annotated[Number, Field(gt=0)]
Milliseconds = Annotated[Whole, Field(ge=0)]
Count = Annotated[Whole, Field(ge=1)]
Port = Annotated[Whole, Field(ge=0, le=65535)]
NonEmptyText = Annotated[str, Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class GreetingSettings(_Section):
    message: str = Field(
        "Condomínio Apoena, em que posso ajudar?", description="what the caller hears first; empty: nothing"
    )
    voice: NonEmptyText = Field("pt-BR-AntonioNeural", description="the voice of everything the server says")
    delay_seconds: Seconds = Field(2.0, description="from the UUID to the greeting")


class SystemSettings(_Section):
    default_state: Literal["STANDBY"] = Field("STANDBY", description="the state of a call before its greeting")
    silence_threshold_seconds: PositiveSeconds = Field(2.0, description="silence that ends an utterance")
    max_transaction_time_seconds: PositiveSeconds = Field(
        30.0, description="how long the backend may keep WAITING or IA_TURN without a message"
    )
    after_speech_pause_seconds: Seconds = Field(0.5, description="between the server's last word and what comes next")
    hold_after_seconds: Seconds = Field(3.0, description="how long WAITING lasts before hold audio starts")
    barge_in: bool = Field(False, description="the caller may interrupt a reply whose status is USER_TURN")


class AudioSettings(_Section):
    sample_rate: Literal[8000] = Field(8000, description="Hz; AudioSocket's kind 0x10")
    channels: Literal[1] = Field(1, description="mono")
    format: Literal["SLIN"] = Field("SLIN", description="16-bit signed little-endian")
    caller_sample_rate: Literal[8000, 12000, 16000, 24000, 32000, 44100, 48000, 96000, 192000] = Field(
        8000, description="Hz; what the caller's kind 0x10 really is: old releases of Asterisk label wideband so"
    )
    chunk_size: Literal[320] = Field(320, description="bytes a message sent: 20 ms")
    waiting_file: NonEmptyText = Field("audio/waiting.slin", description="hold audio, looped")
    prompts_folder: NonEmptyText = Field(
        "audio/prompts", description="recordings of what the server says, with manifest.yaml"
    )


class AiSettings(_Section):
    api_url: Annotated[str, AfterValidator(_web_address)] = Field(
        "http://localhost:8000/messages", description="where the AI backend is asked; a trailing / is ignored"
    )
    timeout_seconds: PositiveSeconds = Field(30.0, description="for a whole answer, redirects included")


class SpeechSettings(_Section):
    engine: Annotated[str, AfterValidator(_engine)] | None = Field(
        None,
        description="azure, local, embedded or module:callable; null: azure where there is a key, else local where it "
        "is installed, else embedded",
    )
    language: NonEmptyText = Field("pt-BR", description="of the caller")
    phrase_books: tuple[NonEmptyText, ...] = Field(
        ("recordings", "audio/prompts"), description="what the embedded engine knows: folders with manifest.yaml"
    )
    more_phrase_books: tuple[NonEmptyText, ...] = Field((), description="the same, beside those: a scenario's own")
    azure_key: SecretStr | None = Field(None, description="of Azure Speech; shown as stars")
    azure_region: Annotated[str, AfterValidator(_region)] | None = Field(
        None, description="of Azure Speech, such as brazilsouth"
    )
    azure_endpoint: Annotated[str, AfterValidator(_speech_address)] | None = Field(
        None, description="of Azure Speech, in place of the region: an address of one's own"
    )
    azure_final_text_seconds: Annotated[Number, Field(gt=0, le=14)] = Field(
        3.0, description="how long Azure's final text may take; then what it had understood until then counts"
    )
    azure_first_audio_seconds: Annotated[Number, Field(gt=0, le=9)] = Field(
        4.0, description="how long the first audio of Azure's voice may take; then its speech has failed"
    )
    cache_folder: NonEmptyText = Field(".cache/speech", description="synthesised speech, kept by text and voice")
    local_voice: str | None = Field(
        None, description="of the local engine: pm_alex, pf_dora or hibari; null: by greeting.voice"
    )
    local_prompt: str | None = Field(
        None,
        description="of the local engine: words that callers use, as a sentence; null: a condominium's, in Portuguese; "
        "empty: none",
    )
    models_folder: NonEmptyText | None = Field(
        None, description="of the local engine: one's own models; null: those of the extra [local]"
    )

    @model_validator(mode="after")
    def _azure_is_whole(self) -> Self:
        key, place = self.azure_key, self.azure_region or self.azure_endpoint
        if self.azure_region and self.azure_endpoint:
            raise ValueError("AZURE_SPEECH_REGION and AZURE_SPEECH_ENDPOINT both say where Azure Speech is: give one")
        wanted = self.engine == "azure" or bool(key) != bool(place)
        missing = ["AZURE_SPEECH_KEY"] if wanted and not key else []
        missing += ["AZURE_SPEECH_REGION (or AZURE_SPEECH_ENDPOINT)"] if wanted and not place else []
        if missing:
            raise ValueError(f"Azure Speech needs {' and '.join(missing)} too")
        return self


class EndpointingSettings(_Section):
    engine: Literal["webrtc", "silero"] | None = Field(
        None, description="voice activity detector: webrtc or silero; null: silero where it is installed, else webrtc"
    )
    aggressiveness: Annotated[Whole, Field(ge=0, le=3)] = Field(
        2, description="of webrtc: 0 lets most through as speech, 3 least"
    )
    silero_threshold: Annotated[Number, Field(gt=0, lt=1)] = Field(
        0.5, description="of silero: how likely speech must be to count as speech"
    )
    silero_calls: Count = Field(
        100, description="silero for so many calls at a time, 10 MB each; further ones take webrtc"
    )
    pre_roll_ms: Milliseconds = Field(300, description="audio kept from before the detector fired")
    minimum_speech_ms: Milliseconds = Field(240, description="anything shorter is a noise and not an utterance")
    longest_utterance_seconds: PositiveSeconds = Field(15.0, description="an utterance ends here even without silence")
    echo_guard: bool = Field(True, description="what sounds like what was just played opens no utterance")
    missing_audio_ms: Milliseconds = Field(200, description="a gap in the caller's audio that counts as silence")


class LimitSettings(_Section):
    uuid_seconds: PositiveSeconds = Field(10.0, description="from the connection to its UUID")
    call_seconds: PositiveSeconds = Field(1800.0, description="the longest call")
    no_utterance_seconds: PositiveSeconds = Field(120.0, description="in USER_TURN without an utterance: hang up")
    calls: Count = Field(2000, description="calls at a time; a further one is refused")
    queued_messages: Count = Field(16, description="pushed messages that wait in a call")
    history: Whole = Field(100, ge=0, description="ended calls kept for the control API")
    events: Count = Field(5000, description="events kept of each call")


class ServerSettings(_Section):
    host: NonEmptyText = Field("127.0.0.1", description="where AudioSocket listens")
    port: Port = Field(8080, description="of AudioSocket; 0: any free port")
    control_token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        None, description="what who uses the control API must have, 16 characters or more; shown as stars"
    )
    control_host: NonEmptyText = Field(
        "127.0.0.1", description="where the control API and the debug page listen; beyond loopback only with a token"
    )
    control_port: Port = Field(8081, description="of these; 0: any free port")

    @field_validator("control_host")
    @classmethod
    def _open_only_with_a_token(cls, host: str, info: ValidationInfo) -> str:
        if not _is_loopback(host) and info.data.get("control_token", ...) is None:  # of a wrong token enough is said
            raise ValueError(
                "beyond loopback the control API needs a token: set CONTROL_TOKEN (`openssl rand -hex 24` makes one)"
            )
        return host


class Settings(_Section):
    """All settings. `Settings()` is the defaults alone: no file and no environment are read."""

    greeting: GreetingSettings = GreetingSettings()
    system: SystemSettings = SystemSettings()
    audio: AudioSettings = AudioSettings()
    ai: AiSettings = AiSettings()
    speech: SpeechSettings = SpeechSettings()
    endpointing: EndpointingSettings = EndpointingSettings()
    limits: LimitSettings = LimitSettings()
    server: ServerSettings = ServerSettings()

    @classmethod
    def from_overrides(cls, overrides: Mapping[str, Any] | None = None, *, source: str = "settings") -> Self:
        """Defaults with `overrides` (sections of keys) on top. `source` names them in a ConfigError.

        What the live server chooses by what there is (`HERMETIC`) is fixed here: a scenario's outcome must not depend
        on the keys and the extras of the machine that it runs on.
        """
        return validated(
            cls, [SettingSource("a server under a scenario", HERMETIC), SettingSource(source, dict(overrides or {}))]
        )


def load_settings(
    config_file: Path | None = None, env_file: Path | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """The live server's settings: the file, then `.env`, then the environment, then `flags` (sections of keys).

    Without arguments: `config.json` and `.env` of the working directory, where they exist. A file that is named must
    exist. Raises ConfigError. Imported late: a server under a scenario need not pay for pydantic-settings.
    """
    from audiosocket_server.settings.sources import SourceReader

    sources = SourceReader(Settings, FLAT_NAMES).read(config_file, env_file)
    return validated(Settings, [*sources, SettingSource("command line", flags)] if flags else sources)
