"""Who may use the control API: tokens, origins, host names; and that the server does not start open to the network."""

from pathlib import Path

import httpx
import pytest
from audiosocket_server.__main__ import main
from audiosocket_server.settings.settings import ConfigError, Settings
from helpers.web_bench import REPLY, FakeCall, FakeCalls, serving
from pydantic import SecretStr

TOKEN = "0123456789abcdef-geheim"
PRIVATE = ("/calls", "/calls/a", "/calls/a/events", "/events", "/metrics", "/nothing")
STRANGE = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
)


def test_without_a_token_nothing_private_is_told_and_nothing_is_done() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        latin = "Bearer ÿ".encode("latin-1")
        for given in (None, "Bearer wrong", f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}x", latin):
            headers = {"Authorization": given} if given is not None else {}
            for path in PRIVATE:
                answer = await http.get(path, headers=headers)
                assert (answer.status_code, list(answer.json())) == (401, ["error"])
                assert answer.headers["www-authenticate"] == "Bearer"
            for path in ("/calls/a/messages", "/calls/a/hangup"):
                assert (await http.post(path, json=REPLY, headers=headers)).status_code == 401

    call = FakeCall("a")
    serving(FakeCalls(call), client, TOKEN)
    assert call.live
    assert call.pushed == []


def test_with_the_token_everything_goes_under_any_host_name() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        http.headers["Authorization"] = f"Bearer {TOKEN}"
        http.headers["Host"] = "bot.example.org"
        assert (await http.get("/calls/a")).status_code == 200
        assert (await http.get("/metrics")).status_code == 200
        assert (await http.post("/calls/a/messages", json=REPLY)).status_code == 202
        assert (await http.post("/calls/a/hangup")).status_code == 200
        # But a page of another origin still may not, should it have learnt the token.
        assert (await http.post("/calls/a/messages", json=REPLY, headers=STRANGE[0])).status_code == 403

    serving(FakeCalls(FakeCall("a")), client, TOKEN)


def test_the_page_itself_and_the_health_need_no_token_and_hold_nothing_private() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        for path in ("/", "/page/page.css", "/health"):
            answer = await http.get(path, headers={"Sec-Fetch-Site": "cross-site"})  # a link from somewhere
            assert answer.status_code == 200
            assert "127.0.0.1:9" not in answer.text

    serving(FakeCalls(FakeCall("a")), client, TOKEN)


@pytest.mark.every(5)
@pytest.mark.parametrize("headers", STRANGE, ids=lambda h: " ".join(*h.items()))
def test_a_page_of_another_origin_neither_reads_nor_acts(headers: dict[str, str]) -> None:
    async def client(http: httpx.AsyncClient) -> None:
        for path in PRIVATE:
            assert (await http.get(path, headers=headers)).status_code == 403
        for path in ("/calls/a/messages", "/calls/a/hangup"):
            assert (await http.post(path, json=REPLY, headers=headers)).status_code == 403

    call = FakeCall("a")
    serving(FakeCalls(call), client)
    assert call.live
    assert call.pushed == []


def test_our_own_page_and_programs_may() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        own = {"Origin": str(http.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
        assert (await http.post("/calls/a/messages", json=REPLY, headers=own)).status_code == 202
        assert (await http.post("/calls/a/messages", json=REPLY, headers={"Sec-Fetch-Site": "none"})).status_code == 202

    serving(FakeCalls(FakeCall("a")), client)


@pytest.mark.every(5)
@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("127.0.0.1:8081", 200),
        ("localhost:8081", 200),
        ("LOCALHOST", 200),
        ("[::1]:8081", 200),
        ("10.0.0.1", 200),
        ("evil.test", 403),
        ("127.0.0.1.evil.test:8081", 403),
        ("localhost.evil.test", 403),
        ("[", 403),
        ("", 403),
    ],
)
def test_a_name_that_somebody_elses_dns_leads_here_is_refused(host: str, code: int) -> None:
    async def client(http: httpx.AsyncClient) -> None:
        for path in ("/calls", "/", "/health"):
            assert (await http.get(path, headers={"Host": host})).status_code == code

    serving(FakeCalls(FakeCall("a")), client)


def test_every_answer_carries_the_headers() -> None:
    async def client(http: httpx.AsyncClient) -> None:
        for path in ("/", "/page/page.css", "/calls", "/nothing", "/metrics"):
            headers = (await http.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["cache-control"] == ("no-cache" if path in ("/", "/page/page.css") else "no-store")

    serving(FakeCalls(), client)


# --- the start ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    assert Settings.from_overrides({"server": {"control_host": host}}).server.control_token is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "bot.example.org", "localhost.example.org"])
def test_any_other_address_needs_one(host: str) -> None:
    with pytest.raises(ConfigError, match="the control API needs a token: set CONTROL_TOKEN") as caught:
        Settings.from_overrides({"server": {"control_host": host}})
    assert len(caught.value.problems) == 1
    assert Settings.from_overrides({"server": {"control_host": host, "control_token": TOKEN}}).server.control_host


@pytest.mark.parametrize("token", ["a" * 15, "with blanks in the token", "0123456789abcdefé", "0" * 16 + "\n"])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ConfigError, match="expected at least 16 ASCII characters") as caught:
        Settings.from_overrides({"server": {"control_token": token}})
    assert token.strip() not in str(caught.value)


@pytest.mark.parametrize("by", ["flag", "environment"])
def test_the_server_refuses_to_start_without_a_token(
    by: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if by == "environment":
        monkeypatch.setenv("SERVER__CONTROL_HOST", "0.0.0.0")
    flags = ["--control-host", "0.0.0.0"] if by == "flag" else []
    assert main([*flags, "--port", "0", "--control-port", "0", "--loop", "asyncio"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    where = "command line: server.control_host" if by == "flag" else "environment: SERVER__CONTROL_HOST"
    assert err.startswith(
        f'server: {where}: "0.0.0.0": beyond loopback the control API needs a token: set CONTROL_TOKEN'
    )
    assert err.count("\n") == 1


def test_the_token_comes_by_its_short_name_and_is_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from audiosocket_server.settings.settings import load_settings

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONTROL_TOKEN", TOKEN)
    settings = load_settings(flags={"server": {"control_host": "0.0.0.0"}})
    assert isinstance(settings.server.control_token, SecretStr)
    assert TOKEN not in repr(settings)
    assert TOKEN not in str(settings.model_dump(mode="json"))
