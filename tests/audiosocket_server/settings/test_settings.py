"""Settings: which source wins, and that whatever is wrong is one line that names it."""

import json
from pathlib import Path

import pytest
from audiosocket_server.settings.settings import (
    HERMETIC,
    PROJECT_ROOT,
    ConfigError,
    EndpointingSettings,
    Settings,
    SpeechSettings,
    load_settings,
    project_path,
)
from pydantic import ValidationError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without files, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("AZURE_SPEECH_KEY", "AZURE_SPEECH_REGION", "SILENCE_THRESHOLD_SECONDS", "AI_API_URL", "SPEECH_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(name: str, content: object) -> Path:
    path = Path(name)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def problem(**sections: object) -> str:
    """The one line about wrong overrides."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_overrides(sections)
    assert len(caught.value.problems) == 1
    return str(caught.value)


# --- where values come from ---------------------------------------------------------------------------------------


def test_without_any_source_there_are_the_defaults() -> None:
    assert load_settings() == Settings()


def test_under_a_scenario_nothing_depends_on_what_is_installed() -> None:
    settings = Settings.from_overrides({})
    assert (settings.speech.engine, settings.endpointing.engine) == ("embedded", "webrtc")
    assert settings == Settings.from_overrides(HERMETIC)
    assert (
        Settings.from_overrides({"speech": {"engine": "azure", "azure_key": "k", "azure_region": "r"}}).speech.engine
        == "azure"
    )


def test_the_committed_file_says_the_defaults_and_the_example_env_file_changes_nothing() -> None:
    assert load_settings(PROJECT_ROOT / "config.json", PROJECT_ROOT / ".env.example") == Settings()


def test_the_environment_wins_over_env_file_and_that_over_config_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write("config.json", {"system": {"silence_threshold_seconds": 1, "hold_after_seconds": 1, "barge_in": True}})
    write(".env", "SILENCE_THRESHOLD_SECONDS=2.5\nSYSTEM__HOLD_AFTER_SECONDS=4\n")
    monkeypatch.setenv("SILENCE_THRESHOLD_SECONDS", "0.75")
    system = load_settings().system
    assert (system.silence_threshold_seconds, system.hold_after_seconds, system.barge_in) == (0.75, 4.0, True)


def test_overrides_read_neither_file_nor_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    write("config.json", {"system": {"barge_in": True}})
    write(".env", "AI_API_URL=http://other/\n")
    monkeypatch.setenv("SILENCE_THRESHOLD_SECONDS", "1")
    settings = Settings.from_overrides({"limits": {"calls": 3}})
    pinned = Settings(
        speech=SpeechSettings(engine="embedded"),
        endpointing=EndpointingSettings(engine="webrtc", echo_guard=False, silero_batch_ms=0),
    )
    assert settings == pinned.model_copy(update={"limits": settings.limits})
    assert settings.limits.calls == 3


@pytest.mark.parametrize(
    ("name", "value", "section", "key", "expected"),
    [
        ("AI_API_URL", "http://ai.test/m/", "ai", "api_url", "http://ai.test/m"),
        ("ai_api_url", "http://ai.test/m", "ai", "api_url", "http://ai.test/m"),
        ("SPEECH_ENGINE", "embedded", "speech", "engine", "embedded"),
        ("SYSTEM__BARGE_IN", "true", "system", "barge_in", True),
        ("SPEECH__PHRASE_BOOKS", '["a", "b"]', "speech", "phrase_books", ("a", "b")),
        ("SILENCE_THRESHOLD_SECONDS", "", "system", "silence_threshold_seconds", 2.0),
        ("SYSTEM__BARGE_IN", "", "system", "barge_in", False),
    ],
)
def test_names_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, section: str, key: str, expected: object
) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(getattr(load_settings(), section), key) == expected


def test_other_programs_variables_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVER", "SYSTEM", "AI", "LIMITS", "AI_API", "GREETING_MESSAGE"):
        monkeypatch.setenv(name, "not ours")
    assert load_settings() == Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().system.barge_in = True  # type: ignore[misc]


def test_relative_paths_lie_in_the_project_folder(tmp_path: Path) -> None:
    assert project_path("recordings") == PROJECT_ROOT / "recordings"
    assert project_path(str(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:8000/messages/", "http://localhost:8000/messages"),
        (" https://user:word@ai.test/v1//?key=1 ", "https://user:word@ai.test/v1?key=1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_backends_address(given: str, kept: str) -> None:
    assert Settings.from_overrides({"ai": {"api_url": given}}).ai.api_url == kept


# --- what is wrong ------------------------------------------------------------------------------------------------


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("sections", "line"),
    [
        (
            {"system": {"silence_threshold": 1}},
            "settings: system.silence_threshold: unknown key; did you mean silence_threshold_seconds?",
        ),
        ({"sytem": {}}, "settings: sytem: unknown section; did you mean system?"),
        (
            {"silence_threshold_seconds": 1},
            "settings: silence_threshold_seconds: unknown section; did you mean system.silence_threshold_seconds?",
        ),
        (
            {"audio": {"barge_in": True}},
            "settings: audio.barge_in: unknown key; did you mean system.barge_in?",
        ),
        (
            {"system": {"no_utterance_seconds": 3}},  # nearer than hold_after_seconds of the same section
            "settings: system.no_utterance_seconds: unknown key; did you mean limits.no_utterance_seconds?",
        ),
        (
            {"system": {"no_uterance_second": 3}},
            "settings: system.no_uterance_second: unknown key; did you mean limits.no_utterance_seconds?",
        ),
        (
            {"ai": {"qqqqqq": 3}},
            "settings: ai.qqqqqq: unknown key; expected one of api_url, timeout_seconds, tell_interruptions",
        ),
        ({"system": 5}, "settings: system: 5: expected an object of keys"),
        (
            {"system": {"silence_threshold_seconds": "soon"}},
            'settings: system.silence_threshold_seconds: "soon": expected a number',
        ),
        (
            {"system": {"silence_threshold_seconds": 0}},
            "settings: system.silence_threshold_seconds: 0: expected more than 0",
        ),
        (
            {"system": {"hold_after_seconds": float("nan")}},
            "settings: system.hold_after_seconds: nan: expected a number",
        ),
        ({"system": {"barge_in": "maybe"}}, 'settings: system.barge_in: "maybe": expected true or false'),
        ({"limits": {"calls": 1.5}}, "settings: limits.calls: 1.5: expected a whole number"),
        (
            {"endpointing": {"engine": None}},
            "settings: endpointing.engine: null: expected 'silero', 'webrtc' or 'silero-or-webrtc'",
        ),
        ({"limits": {"calls": True}}, "settings: limits.calls: true: expected a number, not true or false"),
        ({"server": {"port": 70000}}, "settings: server.port: 70000: expected 65535 or less"),
        ({"audio": {"sample_rate": 16000}}, "settings: audio.sample_rate: 16000: expected 8000"),
        (
            {"speech": {"engine": "azur"}},
            'settings: speech.engine: "azur": expected azure, local, embedded or module:callable',
        ),
        (
            {"speech": {"engine": "vendor:"}},
            'settings: speech.engine: "vendor:": expected azure, local, embedded or module:callable',
        ),
        ({"speech": {"phrase_books": "recordings"}}, 'settings: speech.phrase_books: "recordings": expected a list'),
        (
            {"ai": {"api_url": "localhost:8000"}},
            'settings: ai.api_url: "localhost:8000": expected an address such as http://localhost:8000/messages',
        ),
        (
            {"speech": {"engine": "azure"}},
            "settings: speech: Azure Speech also needs AZURE_SPEECH_KEY and AZURE_SPEECH_REGION (or "
            "AZURE_SPEECH_ENDPOINT)",
        ),
        (
            {"speech": {"azure_key": "x"}},
            "settings: speech: Azure Speech also needs AZURE_SPEECH_REGION (or AZURE_SPEECH_ENDPOINT)",
        ),
        (
            {"speech": {"azure_endpoint": "wss://speech.test"}},
            "settings: speech: Azure Speech also needs AZURE_SPEECH_KEY",
        ),
        (
            {"speech": {"azure_key": "x", "azure_region": "eastus", "azure_endpoint": "wss://speech.test"}},
            "settings: speech: AZURE_SPEECH_REGION and AZURE_SPEECH_ENDPOINT exclude each other: set only one of them",
        ),
        (
            {"speech": {"azure_key": "x", "azure_region": "Brazil South"}},
            'settings: speech.azure_region: "Brazil South": expected a region as Azure spells it in addresses, such as '
            "brazilsouth",
        ),
        (
            {"speech": {"azure_key": "x", "azure_endpoint": "speech.test"}},
            'settings: speech.azure_endpoint: "speech.test": expected an address such as '
            "https://NAME.cognitiveservices.azure.com or ws://127.0.0.1:5000",
        ),
        (
            {"speech": {"azure_final_text_seconds": 20}},
            "settings: speech.azure_final_text_seconds: 20: expected 14 or less",
        ),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(sections: dict[str, object], line: str) -> None:
    assert problem(**sections) == line


def test_several_mistakes_are_a_line_each_with_their_keys() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_overrides({"ai": {"url": "x"}, "system": {"barge_in": 7}}, source="hold.yaml")
    assert caught.value.keys == (("system", "barge_in"), ("ai", "url"))
    assert [line.split(":")[0] for line in caught.value.problems] == ["hold.yaml", "hold.yaml"]
    assert isinstance(caught.value, ValueError)  # docs/targets.md


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"system": {,}}', "config.json:1:13: not valid JSON: Expecting property name enclosed in double quotes"),
        ("[]", 'config.json: expected an object of sections, such as {"system": {…}}'),
        ('{"ai": {}, "ai": {}}', "config.json: ai: this key occurs twice"),
        ('{"ai": {"timeout_seconds": -1}}', "config.json: ai.timeout_seconds: -1: expected more than 0"),
        (
            '{"limits": {\n  "calls": ' + "1" * 5000 + "}}",
            "config.json:2:12: a number of 5000 digits: at most 300 are taken",
        ),
        ('{"ai":\n {"timeout_seconds": NaN}}', "config.json:2:22: not valid JSON: NaN is not JSON"),
        ('{"ai": {"timeout_seconds": 1e999}}', "config.json: ai.timeout_seconds: inf: expected a number"),
        ('{"greeting": {"message": "Oi\\ud800"}}', "config.json: message: 'Oi\\ud800' holds half a character"),
        ("[" * 100_000, "config.json: nested too deeply: expected sections of keys"),
        ('{"ai": {"api_url": "' + "x" * 1_000_000 + '"}}', "config.json: larger than 1 MB: expected sections of keys"),
        ("\ufeff[]", 'config.json: expected an object of sections, such as {"system": {…}}'),
    ],
    ids=lambda text: text[:40],
)
def test_a_wrong_config_file_is_named(content: str, line: str) -> None:
    write("config.json", content)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert str(caught.value) == line


def test_files_that_are_named_must_exist_and_be_text() -> None:
    with pytest.raises(ConfigError, match=r"^mine\.json: no such file"):
        load_settings(Path("mine.json"))
    with pytest.raises(ConfigError, match=r"^mine\.env: no such file"):
        load_settings(env_file=Path("mine.env"))
    Path("latin.json").write_bytes('{"greeting": {"message": "Olá"}}'.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"^latin\.json: not UTF-8 text"):
        load_settings(Path("latin.json"))
    Path("latin.env").write_bytes("GREETING__MESSAGE=Olá".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"^latin\.env: not UTF-8 text"):
        load_settings(env_file=Path("latin.env"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("SILENCE_THRESHOLD_SECONDS=soon", 'SILENCE_THRESHOLD_SECONDS: "soon": expected a number'),
        ("AZURE_SPECH_KEY=x", "AZURE_SPECH_KEY: unknown name; did you mean AZURE_SPEECH_KEY?"),
        (
            "SYSTEM__SILENCE_TRESHOLD_SECONDS=1",
            "SYSTEM__SILENCE_TRESHOLD_SECONDS: unknown name; did you mean SYSTEM__SILENCE_THRESHOLD_SECONDS?",
        ),
        ("SPEECH__PHRASE_BOOKS=recordings", 'SPEECH__PHRASE_BOOKS: expected a list such as ["recordings"]'),
        (
            "AI_API_URL=http://a/\nAI__API_URL=http://b/",
            "AI_API_URL and AI__API_URL are the same setting: set only one of them",
        ),
    ],
)
def test_a_wrong_line_of_an_env_file_is_named(line: str, said: str) -> None:
    write(".env", line)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert str(caught.value) == f".env: {said}"


def test_a_wrong_variable_is_named_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    write(".env", "SILENCE_THRESHOLD_SECONDS=1")
    monkeypatch.setenv("SILENCE_THRESHOLD_SECONDS", "soon")
    with pytest.raises(ConfigError, match=r'^environment: SILENCE_THRESHOLD_SECONDS: "soon": expected a number$'):
        load_settings()
    monkeypatch.setenv("SILENCE_THRESHOLD_SECONDS", "1")
    monkeypatch.setenv("LIMITS__CALL", "1")
    with pytest.raises(ConfigError, match=r"^environment: LIMITS__CALL: unknown name; did you mean LIMITS__CALLS\?$"):
        load_settings()


def test_an_error_can_be_put_where_its_keys_are_written() -> None:
    """For a file of settings that is not ours: the path of each key, and words that do not repeat it."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_overrides({"sytem": {}, "system": {"barge_inn": 1, "hold_after_seconds": -3}})
    assert sorted(zip(caught.value.keys, caught.value.words, strict=True)) == [
        (("system", "barge_inn"), "unknown key 'barge_inn'; did you mean 'barge_in'?"),
        (("system", "hold_after_seconds"), "hold_after_seconds: -3: expected 0 or more"),
        (("sytem",), "unknown key 'sytem'; did you mean 'system'?"),
    ]


def test_no_secret_is_shown() -> None:
    secret = {"azure_key": "s3cret", "azure_region": "brazilsouth"}
    assert "s3cret" not in f"{Settings.from_overrides({'speech': secret})!r}"
    assert "s3cret" not in problem(speech={"azure_key": ["s3cret"], "azure_region": "x"})
    assert "s3cret" not in problem(speech={"azure_kee": "s3cret"})
    assert "s3cret" not in problem(ai={"api_url": "ftp://user:s3cret@ai.test/"})
    assert "s3cret" not in problem(speech={"azure_endpoint": "wss://user:s3cret@speech.test/"})
