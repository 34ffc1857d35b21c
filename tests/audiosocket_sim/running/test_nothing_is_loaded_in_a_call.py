"""What a call needs is loaded before it: a module that is loaded in its middle takes tens of milliseconds, and on the
real clock no packet is sent in that time."""

import subprocess
import sys
from pathlib import Path

import pytest

SCENARIOS = Path(__file__).parents[3] / "scenarios"

WATCHED = """
import sys

from audiosocket_sim.hearing.ear import Ear
from audiosocket_sim.running.runner import Options, run
from audiosocket_sim.scenario.loading import load

hear, conclude, heard, loaded = Ear.hear, Ear.close, [], []


def hear_and_note(self, *sound):
    heard.append(len(sound))
    hear(self, *sound)


def close_and_note(self, at):
    conclude(self, at)
    heard.clear()


def note(event, named):
    if event == "import" and heard:
        loaded.append(named[0])


Ear.hear, Ear.close = hear_and_note, close_and_note
sys.addaudithook(note)
for path in sys.argv[1:]:
    result = run(load(path), Options(target="audiosocket_server:serve"))
    assert any(type(entry.event).__name__ == "BotSpoke" for entry in result.entries), result.problems
print(*loaded)
"""


@pytest.mark.long("what the doors load is looked at (test_doors.py)")
@pytest.mark.parametrize("name", ["dtmf", "greeting_then_hold"])
def test_no_module_is_loaded_in_the_middle_of_a_call(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WATCHED, str(SCENARIOS / f"{name}.yaml")], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout.split()) == (0, []), ran.stderr
