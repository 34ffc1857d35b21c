"""The page of a call as text: one file, nothing asked of anybody, hashes that fit, texts that stay texts."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from helpers.reported_calls import HOSTILE, hostile_call, shipped_call

from audiosocket_core import lanes
from audiosocket_sim.cli.main import main
from audiosocket_sim.report.call.call_report import call_report, write_call_report
from audiosocket_sim.report.page import inline as room
from audiosocket_sim.report.saved.call_source import read_saved_call

PAGE = Path(room.__file__).parent
WITH_ADDRESSES = ("src", "href", "action", "data", "poster", "srcset", "formaction", "xlink:href")


class Parts(HTMLParser):
    """What a browser would see: elements with their attributes, and the texts of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.raw:
            self._inside = tag
            self.raw[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.raw:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.raw[self._inside][-1] += data
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shipped_call("barge_in", tmp_path_factory.mktemp("calls") / "barge_in")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return call_report(read_saved_call(folder), compress=False)


def policy_of(parts: Parts) -> dict[str, list[str]]:
    [content] = [one["content"] for one in parts.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    return {words[0]: words[1:] for part in (content or "").split(";") if (words := part.split())}


@pytest.mark.long("quicker tests of this file are run")
def test_the_policy_allows_this_script_and_this_style_and_nothing_else(page: str) -> None:
    parts = Parts(page)
    policy = policy_of(parts)
    data, script = parts.raw["script"]
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (script, parts.raw["style"][0])
    ]
    assert policy == {
        "default-src": ["'none'"],
        "img-src": ["data:"],
        "media-src": ["data:"],
        "script-src": [hashes[0]],
        "style-src": [hashes[1]],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["'none'"],
    }
    assert json.loads(data)["lanes"]
    assert len(parts.raw["style"]) == 1


def test_nothing_is_asked_of_anybody(page: str) -> None:
    parts = Parts(page)
    addresses = [
        (tag, value) for tag, attributes in parts.tags for key, value in attributes.items() if key in WITH_ADDRESSES
    ]
    assert [one for one in addresses if not (one[1] or "").startswith(("data:", "#"))] == []
    assert not {"link", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in parts.tags} - {"link"}
    assert [one["href"] for one in parts.all("link")] == ["data:,"]
    assert [key for _, attributes in parts.tags for key in attributes if key.startswith("on") or key == "style"] == []
    assert "http:" not in parts.raw["style"][0]
    assert "url(" not in parts.raw["style"][0]


def test_the_scripts_are_short_and_write_no_html() -> None:
    own = (PAGE / "call.js").read_text(encoding="utf-8")
    both = f"{lanes.script()}\n{own}"
    assert len(both.splitlines()) <= 600
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "import(", "fetch("):
        assert forbidden not in both
    assert re.search(r"^import ", both, re.MULTILINE) is None


def test_what_is_not_sound_is_small(page: str) -> None:
    sound = next(one["src"] or "" for one in Parts(page).all("audio"))
    assert len(page.encode()) - len(sound) < 86_000, "1.28 MB a minute are sound, of 1.4"
    for raw in Parts(page).raw.values():
        assert [line for line in raw[-1].splitlines() if line != line.strip() or line.startswith(("//", "/*"))] == []


def test_the_first_paint_waits_for_no_sound(page: str) -> None:
    assert [one["preload"] for one in Parts(page).all("audio")] == ["none"]


def test_the_head_says_what_the_page_contains(page: str, folder: Path) -> None:
    assert "in this one file: words, sound (µ-law WAV" in Parts(page).text
    assert "redacted: no words and no sound" in call_report(read_saved_call(folder), redact=True)
    assert "no sound" in Parts(call_report(read_saved_call(folder, sound=False))).text


def test_texts_of_a_hostile_call_stay_texts(tmp_path: Path) -> None:
    page = call_report(read_saved_call(hostile_call(tmp_path / "hostile")))
    parts = Parts(page)
    assert len(parts.raw["script"]) == 2
    assert len(parts.raw["style"]) == 1
    assert [one for tag, one in parts.tags if tag == "img"] == []
    assert [one for tag, one in parts.tags if tag == "svg" and "onload" in one] == []
    shown = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]", shown)
    assert HOSTILE[0] in parts.text
    assert "{{ 7 * 7 }}" in parts.text
    assert max(len(line) for line in re.findall(r"w+", parts.text)) <= 2_000, "a very long text is cut"


def test_sizes(folder: Path, page: str) -> None:
    minutes = read_saved_call(folder).duration_ms / 60_000
    assert len(page.encode()) < 1_400_000 * minutes + 150_000


@pytest.mark.extra
def test_the_size_with_the_extra(folder: Path) -> None:
    pytest.importorskip("soundfile")
    minutes = read_saved_call(folder).duration_ms / 60_000
    small = call_report(read_saved_call(folder))
    assert len(small.encode()) < 500_000 * minutes + 150_000


def test_all_that_a_reader_needs_is_there_with_no_script(page: str) -> None:
    parts = Parts(page)
    for words in (
        "Transcript",
        "Latency of each turn, by stage",
        "Turn-taking",
        "On the wire",
        "Environment",
        "Downloads",
    ):
        assert words in parts.text
    assert len([one for one in parts.all("figure") if one["class"] == "still"]) >= 1
    assert "Condomínio Apoena, em que posso ajudar?" in parts.text
    assert "the caller begins over the bot; the bot stops after 0.02 s" in parts.text
    assert parts.all("audio")[0]["src"].startswith("data:audio/wav;base64,")  # type: ignore[union-attr]
    assert {one.get("download") for one in parts.all("a")} >= {"call.jsonl", "labels.txt", "barge_in.yaml"}


def test_downloads_are_the_files(page: str, folder: Path) -> None:
    found = {str(one["download"]): str(one["href"]) for one in Parts(page).all("a") if "download" in one}
    content = {name: base64.b64decode(address.partition(",")[2]) for name, address in found.items()}
    assert content["call.jsonl"] == (folder / "call.jsonl").read_bytes()
    for line in content["labels.txt"].decode().splitlines():
        start, end, words = line.split("\t")
        assert 0 <= float(start) <= float(end)
        assert words
    assert "Bot, as heard: Condomínio Apoena, em que posso ajudar?" in content["labels.txt"].decode()


def test_the_command_writes_the_page_beside_the_call_for_its_owner_alone(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").stat().st_mode & 0o777 == 0o600
    assert main(["report", str(folder / "call.jsonl"), "--redact", "--to", str(tmp_path / "to" / "a.html")]) == 0
    assert "Condom" not in (tmp_path / "to" / "a.html").read_text(encoding="utf-8")
    assert main(["report", str(tmp_path / "none")]) == 2
    assert "no such file or folder" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["report", str(folder), "--to", str(tmp_path / "file" / "a.html")]) == 3
    assert "cannot write" in capsys.readouterr().err


def test_a_call_with_nothing_in_it_has_a_page(tmp_path: Path) -> None:
    (tmp_path / "call.jsonl").write_text('{"type": "Environment", "at_ms": 0, "source": "environment"}\n')
    page = write_call_report(tmp_path, tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Nobody judged this call, and nothing in it is worth a look." in page
