"""Did a recogniser say its own prompt, instead of what it heard? Pure.

On sound of which it makes nothing, Whisper goes on with the prompt's words. A caller may say some of them himself, so
an echo is only a suspicion: what is recognised without the prompt decides.
"""

from audiosocket_core.phrase_book.book import normalise

__all__ = ["may_be_prompt"]

_RUN = 3  # so many words in the prompt's order, in a longer text


def may_be_prompt(text: str, prompt: str) -> bool:
    """Return whether the text is a part of the prompt, or has three words that follow one another there."""
    words, prompted = normalise(text).split(), f" {' '.join(normalise(prompt).split())} "
    if not words:
        return False
    runs = [words[at : at + _RUN] for at in range(len(words) - _RUN + 1)]
    return any(f" {' '.join(run)} " in prompted for run in [words, *runs])
