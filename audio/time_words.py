"""Note in prompts/manifest.yaml when the words of each prompt end: `word_ends_ms`, one whole number a word.

Read by the local engine's recogniser, whose ends of words are right to about 0.1 s; where it counts the words otherwise
than the text does (402 as two words), they are estimated from the sound. The last word ends where the speech does.
Needs the extra [local]. Entries that have the key already are left as they are.

    python audio/time_words.py
"""

from pathlib import Path

from audiosocket_server.call.heard_words import estimated_ends
from audiosocket_server.speech.local.reading import read

from audiosocket_core.phrase_book.book import Phrase, PhraseBook

FOLDER = Path(__file__).parent / "prompts"


def word_ends(phrase: Phrase) -> list[int]:
    """Return when the words of the phrase end, in ms."""
    found = read(phrase.pcm, 8000, phrase.language)["words"]
    assert isinstance(found, list)
    ends = [int(word["end_ms"]) for word in found]
    if len(ends) != len(phrase.text.split()):
        ends = [end.ends_ms for end in estimated_ends(phrase.text, phrase.pcm, whole=True)]
    ends[-1] = phrase.speech_end_ms
    return ends


def main() -> None:
    """Write the times of all prompts that have none."""
    manifest = FOLDER / "manifest.yaml"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    phrases = {phrase.name: phrase for phrase in PhraseBook.load(FOLDER).phrases}
    written: list[str] = []
    phrase: Phrase | None = None
    for line in lines:
        if line.startswith("- file: "):
            phrase = phrases.get(line.removeprefix("- file: ").strip().removesuffix(".wav"))
        written.append(line)
        if line.startswith("  speech_end_ms:") and phrase is not None and not phrase.word_ends_ms:
            written.append(f"  word_ends_ms: {word_ends(phrase)}")
    manifest.write_text("\n".join(written) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
