"""`python -m benchmarks.endpointing_svg` draws docs/endpointing.svg: a caller's wait against turns cut off early.

Each dot is a threshold of silence. The picture is written by hand, with no other library, and is the same each time on
the same audio: nothing in it is a time that was measured on this machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.cutting import Cost
from benchmarks.endpointing import PAUSES_MS, hear, outcomes
from benchmarks.labelled import composites, prompts, recordings
from benchmarks.machine import PROJECT

__all__ = ["Curve", "draw", "main"]

SILENCES_MS = (300, 400, 500, 700, 900, 1200, 1500, 2000)
PICTURE = PROJECT / "docs" / "endpointing.svg"

WIDTH, HEIGHT = 760, 430
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 74, 52
MOST_MS, MOST_PERCENT = 2400, 100

_STYLE = """\
  .paper { fill: #ffffff }
  text { font: 13px sans-serif; fill: #1f2328 }
  .title { font-weight: bold; font-size: 15px }
  .small { font-size: 11px }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 }
  .a { stroke: #0969da } .a.dot { fill: #0969da }
  .b { stroke: #bc4c00 } .b.dot { fill: #bc4c00 }
  .c { stroke: #1a7f37 } .c.dot { fill: #1a7f37 }
  .dashed { stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 }
    text { fill: #e6edf3 }
    .grid { stroke: #3d444d }
    .a { stroke: #58a6ff } .a.dot { fill: #58a6ff }
    .b { stroke: #f0883e } .b.dot { fill: #f0883e }
    .c { stroke: #56d364 } .c.dot { fill: #56d364 }
  }"""


@dataclass(frozen=True, slots=True)
class Curve:
    """Dots from left to right: mean delay of the end of a turn (ms), share of turns cut off early (%), threshold."""

    name: str
    look: str
    dots: Sequence[tuple[float, float, int]]
    labelled: bool = False


def main() -> None:
    speech = [*recordings(), *prompts(3)]
    pausing = composites(speech, PAUSES_MS)
    curves = []
    for name, condition, look, labelled in (
        ("silero 0.5", "G.711, line noise", "a", True),
        ("silero 0.5", "5 dB", "a dashed", False),
        ("webrtc 2", "G.711, line noise", "b", False),
    ):
        heard = hear(name, pausing, condition, Cost())
        plain = hear(name, speech, condition, Cost())
        dots = []
        for silence_ms in SILENCES_MS:
            ends = [o.end_ms for o in outcomes(plain, silence_ms) if o.once]
            early = 100 * mean(o.early for o in outcomes(heard, silence_ms))
            dots.append((mean(ends), early, silence_ms))
        where = "5 dB of noise" if condition == "5 dB" else "a quiet line"
        curves.append(Curve(f"a pause within, {name.split()[0]}, {where}", look, dots, labelled))
        if look == "a dashed":
            natural = [
                (x, 100 * mean(o.early for o in outcomes(plain, silence_ms)), silence_ms) for x, _, silence_ms in dots
            ]
            curves.append(Curve("sentences as they were recorded, silero, 5 dB of noise", "c", natural))
    PICTURE.write_text(draw(curves, len(pausing), len(speech)), encoding="utf-8")
    for curve in curves:
        print(curve.name, *(f"{silence}: {x:.0f} ms {y:.0f} %" for x, y, silence in curve.dots), sep="\n  ")


def draw(curves: Sequence[Curve], pausing: int, speech: int) -> str:
    """The whole picture, for light and dark, with no request to anywhere."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="Share of turns cut off early against the delay of the end of a turn">',
        f"<style>\n{_STYLE}\n</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',  # of its own: nobody knows on what it is shown
        _text(LEFT, 20, "Turns cut off early, against the wait after the last word", "title"),
        _text(LEFT, 38, f"{pausing} sentences with a pause of 0.3 to 1.5 s put in; {speech} as recorded", "small"),
        *_grid(),
    ]
    for number, curve in enumerate(curves):
        parts += _curve(curve)
        parts += _key(curve, number)
    return "\n".join([*parts, "</svg>", ""])


def _grid() -> list[str]:
    parts = []
    for percent in range(0, MOST_PERCENT + 1, 20):
        y = _y(percent)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{percent} %", "small", "end"))
    for ms in range(0, MOST_MS + 1, 400):
        x = _x(ms)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(_text(x, HEIGHT - BOTTOM + 18, f"{ms / 1000:g}", "small", "middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        _text(middle, HEIGHT - 12, "seconds from the last word to the end of the turn, mean", "small", "middle")
    )
    return parts


def _curve(curve: Curve) -> list[str]:
    points = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y, _ in curve.dots)
    parts = [f'<polyline class="line {curve.look}" points="{points}"/>']
    for x, y, silence_ms in curve.dots:
        parts.append(f'<circle class="dot {curve.look}" cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="3"/>')
        if curve.labelled:
            parts.append(_text(_x(x) + 7, _y(y) - 6, f"{silence_ms / 1000:g} s", "small"))
    return parts


def _key(curve: Curve, number: int) -> list[str]:
    x, y = WIDTH - 390, TOP + 14 + 18 * number
    return [
        f'<line class="line {curve.look}" x1="{x}" y1="{y - 4}" x2="{x + 28}" y2="{y - 4}"/>',
        _text(x + 36, y, curve.name, "small"),
    ]


def _text(x: float, y: float, words: str, look: str, anchor: str = "start") -> str:
    return f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _x(ms: float) -> float:
    return LEFT + ms / MOST_MS * (WIDTH - LEFT - RIGHT)


def _y(percent: float) -> float:
    return HEIGHT - BOTTOM - percent / MOST_PERCENT * (HEIGHT - TOP - BOTTOM)


if __name__ == "__main__":
    main()
