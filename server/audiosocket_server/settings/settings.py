"""The settings of the server: every key with its default, limits and meaning. Immutable.

docs/server.md (Settings) repeats these descriptions, and a test compares them. A wrong key or value raises a
`ConfigError` that names it. The live server reads its settings with `load_settings`, from `config.json`, `.env` and the
environment, in rising order of precedence. A server that a scenario starts uses `Settings.from_overrides`, which reads
neither file nor environment.
"""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

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
    "is_loopback",
    "load_settings",
    "project_path",
]

PROJECT_ROOT = SHIPPED

# Short names of variables, as the original server has them. Every setting is also SECTION__KEY.
FLAT_NAMES: Mapping[str, tuple[str, str]] = {
    "AZURE_SPEECH_KEY": ("speech", "azure_key"),
    "AZURE_SPEECH_REGION": ("speech", "azure_region"),
    "AZURE_SPEECH_ENDPOINT": ("speech", "azure_endpoint"),
    "SILENCE_THRESHOLD_SECONDS": ("system", "silence_threshold_seconds"),
    "AI_API_URL": ("ai", "api_url"),
    "SPEECH_ENGINE": ("speech", "engine"),
    "CONTROL_TOKEN": ("server", "control_token"),
}

# A server that a scenario starts uses these, unless the scenario overrides them: nothing that depends on what is
# installed, and nothing that compares floats, which another processor may round differently.
HERMETIC: Mapping[str, Mapping[str, object]] = {
    "speech": {"engine": "embedded"},
    "endpointing": {"engine": "webrtc", "echo_guard": False, "silero_batch_ms": 0},
}


def project_path(path: str) -> Path:
    """Resolve a path of the settings: `~` is the home folder, a relative path begins at the project's folder."""
    return PROJECT_ROOT / Path(path).expanduser()


# --- the settings -------------------------------------------------------------------------------------------------


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a number, not true or false")
    return value


def _web_address(value: str) -> str:
    """Validate an HTTP address; strip blanks and trailing slashes: `http://host/x/` becomes `http://host/x`."""
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
    """Validate the address of a speech service; strip blanks."""
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
        raise ValueError("expected a region as Azure spells it in addresses, such as brazilsouth")
    return value


def _engine(value: str) -> str:
    """Validate the name of a speech engine: a built-in one, or an import string `module:callable`."""
    module, _, name = value.partition(":")
    if value not in ("azure", "local", "embedded") and not (
        name.isidentifier() and all(part.isidentifier() for part in module.split("."))
    ):
        raise ValueError("expected azure, local, embedded or module:callable")
    return value


def _token(value: SecretStr) -> SecretStr:
    """Validate a token: long enough not to be guessed, and fit for an HTTP header."""
    text = value.get_secret_value()
    if len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected at least 16 ASCII characters without blanks")
    return value


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError("expected a network such as 10.0.0.0/8 or 192.0.2.7, without bits of a host") from None


def _uuid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError("expected a UUID such as 40325ec2-5efd-4bd3-805f-53576e581d13") from None


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached from this machine only."""
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
    """The greeting, and the voice of the server."""

    message: str = Field(
        "Condomínio Apoena, em que posso ajudar?", description="what the server says first; empty: no greeting"
    )
    voice: NonEmptyText = Field("pt-BR-AntonioNeural", description="the voice of everything the server says")
    delay_seconds: Seconds = Field(2.0, description="time from the UUID to the greeting")
    wait_for_audio_seconds: Seconds = Field(
        3.0,
        description="how much longer the greeting waits for the caller's first audio: under ARI nothing flows before "
        "the bridge; 0: not at all",
    )
    caller_first: Literal["hear", "greet"] = Field(
        "hear",
        description="a caller who speaks before the greeting: hear (he is heard out, and answered instead) or "
        "greet (he is greeted over, and not heard)",
    )


class SystemSettings(_Section):
    """The turns of a call."""

    default_state: Literal["STANDBY"] = Field("STANDBY", description="the state of a call before its greeting")
    silence_threshold_seconds: PositiveSeconds = Field(2.0, description="silence that ends an utterance")
    max_transaction_time_seconds: PositiveSeconds = Field(
        30.0, description="the longest time in WAITING or IA_TURN without a message from the backend"
    )
    after_speech_pause_seconds: Seconds = Field(
        0.5, description="pause between the server's last word and what follows"
    )
    hold_after_seconds: Seconds = Field(3.0, description="time in WAITING before hold audio starts")
    barge_in: bool = Field(False, description="the caller may interrupt a message whose status is USER_TURN")
    barge_in_pause_seconds: Seconds = Field(
        0.85,
        description="the longest pause of a message over which the caller makes a sound, until it is known whether he "
        "takes the turn; 0: it is stopped at once, for good",
    )


class AudioSettings(_Section):
    """Audio formats and files."""

    sample_rate: Literal[8000] = Field(8000, description="Hz; AudioSocket's kind 0x10")
    channels: Literal[1] = Field(1, description="mono")
    format: Literal["SLIN"] = Field("SLIN", description="16-bit signed little-endian")
    caller_sample_rate: Literal[8000, 12000, 16000, 24000, 32000, 44100, 48000, 96000, 192000] = Field(
        8000, description="Hz; the true rate of the caller's kind 0x10: old releases of Asterisk mislabel wideband so"
    )
    chunk_size: Literal[320] = Field(320, description="bytes of audio in a message sent: 20 ms")
    waiting_file: NonEmptyText = Field("audio/waiting.slin", description="hold audio, looped")
    prompts_folder: NonEmptyText = Field(
        "audio/prompts", description="folder with recordings of what the server says, and manifest.yaml"
    )


class AiSettings(_Section):
    """The AI backend."""

    api_url: Annotated[str, AfterValidator(_web_address)] = Field(
        "http://localhost:8000/messages", description="address of the AI backend; a trailing / is ignored"
    )
    timeout_seconds: PositiveSeconds = Field(30.0, description="time limit of a complete answer, redirects included")
    tell_interruptions: bool = Field(
        True,
        description="after an interruption, tell the backend what the caller heard (`interrupted`); false for one that "
        "refuses unknown keys",
    )


class SpeechSettings(_Section):
    """Speech recognition and synthesis."""

    engine: Annotated[str, AfterValidator(_engine)] | None = Field(
        None,
        description="speech engine: azure, local, embedded or module:callable; null: azure if there is a key, else "
        "local if it is installed, else embedded",
    )
    language: NonEmptyText = Field("pt-BR", description="language of the caller")
    backchannels: tuple[NonEmptyText, ...] | None = Field(
        None,
        description="words and phrases that take no turn from the bot, such as “uh-huh”; null: those of the language, "
        "for pt, en and es",
    )
    phrase_books: tuple[NonEmptyText, ...] = Field(
        ("recordings", "audio/prompts"),
        description="folders with manifest.yaml: the recordings that the embedded engine recognises",
    )
    more_phrase_books: tuple[NonEmptyText, ...] = Field(
        (), description="further such folders, such as those of a scenario"
    )
    azure_key: SecretStr | None = Field(None, description="key for Azure Speech; shown as stars")
    azure_region: Annotated[str, AfterValidator(_region)] | None = Field(
        None, description="region of Azure Speech, such as brazilsouth"
    )
    azure_endpoint: Annotated[str, AfterValidator(_speech_address)] | None = Field(
        None, description="custom address of Azure Speech, instead of the region"
    )
    azure_final_text_seconds: Annotated[Number, Field(gt=0, le=14)] = Field(
        3.0, description="time limit of Azure's final text; afterwards the interim text counts"
    )
    azure_first_audio_seconds: Annotated[Number, Field(gt=0, le=9)] = Field(
        4.0, description="time limit of the first audio of Azure's voice; afterwards the synthesis has failed"
    )
    cache_folder: NonEmptyText = Field(
        ".cache/speech",
        description="folder in which synthesised speech is kept, by text and voice; where it cannot be written nothing "
        "is kept, and the log says so",
    )
    local_voice: str | None = Field(
        None, description="voice of the local engine: pm_alex, pf_dora or hibari; null: chosen by greeting.voice"
    )
    local_prompt: str | None = Field(
        None,
        description="prompt for the local engine: a sentence with words that callers use; null: words of a "
        "condominium, in Portuguese; empty: no prompt",
    )
    models_folder: NonEmptyText | None = Field(
        None, description="folder with other models for the local engine; null: the models of the extra [local]"
    )

    @model_validator(mode="after")
    def _azure_is_whole(self) -> Self:
        key, place = self.azure_key, self.azure_region or self.azure_endpoint
        if self.azure_region and self.azure_endpoint:
            raise ValueError("AZURE_SPEECH_REGION and AZURE_SPEECH_ENDPOINT exclude each other: set only one of them")
        wanted = self.engine == "azure" or bool(key) != bool(place)
        missing = ["AZURE_SPEECH_KEY"] if wanted and not key else []
        missing += ["AZURE_SPEECH_REGION (or AZURE_SPEECH_ENDPOINT)"] if wanted and not place else []
        if missing:
            raise ValueError(f"Azure Speech also needs {' and '.join(missing)}")
        return self


class EndpointingSettings(_Section):
    """Voice activity detection, and the ends of utterances."""

    engine: Literal["silero", "webrtc", "silero-or-webrtc"] = Field(
        "silero",
        description="voice activity detector: silero, webrtc or silero-or-webrtc (webrtc where silero is missing)",
    )
    aggressiveness: Annotated[Whole, Field(ge=0, le=3)] = Field(
        2, description="of webrtc, 0 to 3: at 0 most audio counts as speech, at 3 least"
    )
    silero_threshold: Annotated[Number, Field(gt=0, lt=1)] = Field(
        0.5, description="of silero, 0 to 1: likelihood from which audio counts as speech"
    )
    silero_calls: Count = Field(
        100,
        description="the most calls at a time that use silero, 10 MB each without `[local]`; further calls use webrtc",
    )
    silero_batch_ms: Annotated[Whole, Field(ge=0, le=100)] = Field(
        10,
        description="with the extra `[local]`: for how long silero gathers the audio of many calls, to judge it at "
        "once; 0: each call's by itself",
    )
    pre_roll_ms: Milliseconds = Field(300, description="audio from before the detector fired that is kept")
    minimum_speech_ms: Milliseconds = Field(240, description="the shortest utterance; shorter speech is a noise")
    other_voice_db: Annotated[Number, Field(ge=0)] = Field(
        4.5,
        description="over the bot's speech, a voice that is so much softer than the caller's own is not his, unless it "
        "sounds just like him; of one that does not sound like him less is enough; 0: any may be his",
    )
    short_silence_ms: Milliseconds = Field(
        200, description="silence after a sound over the bot's speech, when it is recognised what it was"
    )
    longest_utterance_seconds: PositiveSeconds = Field(
        15.0, description="the longest utterance; it ends then even without silence"
    )
    echo_guard: bool = Field(True, description="an echo of what the server just played starts no utterance")
    early_speech_ms: Milliseconds = Field(
        300,
        description="how long before the end of the server's last word a caller may begin and is heard whole; needs "
        "`echo_guard`",
    )
    nearest_voice: bool = Field(
        True, description="with silero: voices no louder than what sounds behind the caller are not his"
    )
    missing_audio_ms: Milliseconds = Field(200, description="a gap in the caller's audio this long counts as silence")


class LimitSettings(_Section):
    """Limits in time and number."""

    uuid_seconds: PositiveSeconds = Field(10.0, description="time limit from the connection to its UUID")
    call_seconds: PositiveSeconds = Field(1800.0, description="the longest call")
    no_utterance_seconds: PositiveSeconds = Field(
        120.0, description="the longest time in USER_TURN without an utterance; then the server hangs up"
    )
    calls: Count = Field(2000, description="the most calls at a time; further calls are refused")
    connections_without_uuid: Count = Field(
        200, description="the most connections at a time that have not sent a UUID; a further one replaces the oldest"
    )
    control_connections: Count = Field(
        320,
        description="most connections at a time to the control API; a further one replaces an idle one or gets 503",
    )
    expected_seconds: PositiveSeconds = Field(
        60.0, description="how long a call that was announced by POST /expected may take to come"
    )
    queued_messages: Count = Field(16, description="the most pushed messages in the queue of a call")
    history: Whole = Field(100, ge=0, description="ended calls kept for the control API")
    events: Count = Field(5000, description="events kept of each call")


class ServerSettings(_Section):
    """Addresses and ports, and the token of the control API."""

    host: NonEmptyText = Field("127.0.0.1", description="address on which AudioSocket listens")
    port: Port = Field(8080, description="port of AudioSocket; 0: any free port")
    peers: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        (), description="networks, such as 10.0.0.0/8, from which AudioSocket accepts connections; empty: any"
    )
    expected_uuids: tuple[Annotated[str, AfterValidator(_uuid)], ...] | None = Field(
        None,
        description="UUIDs of the calls that are accepted, once each, besides those announced by POST /expected; "
        "null: any UUID",
    )
    control_token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        None, description="token that every client of the control API needs, at least 16 characters; shown as stars"
    )
    control_host: NonEmptyText = Field(
        "127.0.0.1", description="address of the control API and the debug page; beyond loopback only with a token"
    )
    control_port: Port = Field(8081, description="port of the control API and the debug page; 0: any free port")

    @field_validator("control_host")
    @classmethod
    def _open_only_with_a_token(cls, host: str, info: ValidationInfo) -> str:
        # A wrong token is missing from `data`, and has an error of its own.
        if not is_loopback(host) and info.data.get("control_token", ...) is None:
            raise ValueError(
                "beyond loopback the control API needs a token: set CONTROL_TOKEN (`openssl rand -hex 24` makes one)"
            )
        return host


class Settings(_Section):
    """All settings, in sections. `Settings()` holds the defaults: neither file nor environment is read."""

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
        """Return the defaults with `overrides` (sections of keys). Raises ConfigError, in which `source` names them.

        What the live server chooses by what is installed is fixed here (`HERMETIC`): the outcome of a scenario must not
        depend on the keys and the extras of the machine.
        """
        return validated(
            cls, [SettingSource("a server under a scenario", HERMETIC), SettingSource(source, dict(overrides or {}))]
        )


def load_settings(
    config_file: Path | None = None, env_file: Path | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """Read the live server's settings: `config_file`, `env_file`, the environment, and `flags` (sections of keys).

    A later source overrides an earlier one. Without arguments, `config.json` and `.env` of the working directory are
    read if they exist; a file that is named must exist. Raises ConfigError. Imports pydantic-settings, which a server
    under a scenario does not need.
    """
    from audiosocket_server.settings.sources import SourceReader

    sources = SourceReader(Settings, FLAT_NAMES).read(config_file, env_file)
    return validated(Settings, [*sources, SettingSource("command line", flags)] if flags else sources)
