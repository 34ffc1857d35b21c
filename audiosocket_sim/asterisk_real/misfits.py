"""What a scenario asks for that a phone and a given Asterisk cannot do. Pure."""

from collections.abc import Iterator

from audiosocket_sim.asterisk.profiles import profile, release_like
from audiosocket_sim.scenario import HangUpStep, Scenario, all_steps, expectations_in

__all__ = ["misfits"]


def misfits(scenario: Scenario, version: str) -> list[str]:
    """One phrase each; nothing where the scenario can be played. `version` is the binary's: `22.10.1`."""
    return [*_of_the_peer(scenario, version), *_of_the_line(scenario), *_of_the_steps(scenario)]


def _of_the_peer(scenario: Scenario, version: str) -> Iterator[str]:
    peer = scenario.asterisk
    asked, found = profile(peer.version, peer.attach).era, profile(release_like(version), peer.attach).era
    if asked != found:
        yield f"asterisk: version {peer.version} has other rules than {version}, which is the one here"
    if peer.rate_hz != 8000:
        yield f"asterisk: rate_hz: {peer.rate_hz}: a phone's G.711 is 8 kHz"
    if not peer.answered:
        yield "asterisk: answered: false: who calls a phone has answered"
    for name in ("connect_pause", "mixed", "bridge_after", "comfort_noise", "stuck_in_header", "stall"):
        if getattr(peer, name):
            yield f"asterisk: {name}: a phone and a dialplan cannot bring it about"
    if peer.first_packet == 0:
        yield "asterisk: first_packet: with_uuid: a phone's clock knows nothing of the UUID"


def _of_the_line(scenario: Scenario) -> Iterator[str]:
    if scenario.line.codec in ("none", "gsm"):
        yield f"line: codec: {scenario.line.codec}: this phone speaks G.711 (ulaw, alaw)"
    if scenario.network.split != "none":
        yield f"network: split: {scenario.network.split}: Asterisk writes as it does"


def _of_the_steps(scenario: Scenario) -> Iterator[str]:
    for (_, index, *_), step in all_steps(scenario.steps):
        if isinstance(step, HangUpStep) and (step.hang_up.how != "close" or step.hang_up.before_uuid):
            how = "before_uuid" if step.hang_up.before_uuid else step.hang_up.how
            yield f"step {_number(index)}: hang_up: {how}: a phone can only hang up"
    for (_, index, *_), expectation in expectations_in(scenario.steps):
        ends = expectation.hangs_up
        if ends is not None and ends.who == "server" and ends.how in ("hangup_message", "fin"):
            yield f"step {_number(index)}: hangs_up: how: {ends.how}: Asterisk does not tell 00 00 00 from a close"


def _number(index: str | int) -> int:
    return int(index) + 1
