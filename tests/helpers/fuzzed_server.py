"""A server that answers a search without any connection: what its calls look like is said by a function."""

from collections.abc import Callable

from audiosocket_sim.conformance.case import Resources, SeenCase
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.harms import SeenRound
from audiosocket_sim.conformance.fuzzing.odd_stream import bytes_of
from audiosocket_sim.conformance.fuzzing.rounds import AFTERWARDS, GOOD, Lanes
from audiosocket_sim.conformance.fuzzing.search import ServerStaysAway
from audiosocket_sim.conformance.script import Announce, Script, SendSound, SignOfLife
from audiosocket_sim.conformance.seen_call import Chunk, ConnectionEnd, Done, SeenCall

DoesHarm = Callable[[bytes], bool]


def sent_by(script: Script) -> bytes:
    return b"".join(bytes_of(action) for action in script.actions)


def call_of(script: Script, *, dropped: bool = False, refused: bool = False) -> SeenCall:
    """A call that goes well, or that the server drops at once."""
    done = []
    for action in script.actions:
        ended = 0.0 if isinstance(action, Announce) else 1.0
        done.append(Done(action, 0.0, ended, True if isinstance(action, SignOfLife) else None))
        if isinstance(action, SendSound) and dropped:
            break
    return SeenCall(
        script,
        bytes(16),
        connected_at=None if refused else 0.0,
        why_not_connected="refused" if refused else "",
        sent=(Chunk(0.5, sent_by(script)),),
        done=tuple(done),
        end=ConnectionEnd("server", "reset", 0.6) if dropped else ConnectionEnd("peer", "fin", 1.0, 1.1),
    )


class FakeServer:
    """Goes down (`dies`), drops the call (`drops`) or all others (`hurts`), or keeps something (`keeps`) of a stream.

    `most_deaths`: after so many it lives on. `ours`: it can be started anew.
    """

    def __init__(
        self,
        *,
        dies: DoesHarm = lambda sent: False,
        drops: DoesHarm = lambda sent: False,
        hurts: DoesHarm = lambda sent: False,
        keeps: DoesHarm = lambda sent: False,
        most_deaths: int = 1_000,
        ours: bool = True,
        two_calls: bool = True,
        at_once: int = 100,
    ) -> None:
        self.features = Features(two_calls=two_calls)
        self.n_calls = 0
        self.played: list[bytes] = []
        self.renewed = 0
        self._dies, self._drops, self._hurts, self._keeps = dies, drops, hurts, keeps
        self._deaths = most_deaths
        self._ours = ours
        self._at_once = at_once
        self._is_dead = False
        self._kept = 10

    def play(self, lanes: Lanes, *, beside: Script | None = None, after: Script | None = None) -> SeenRound:
        scripts = [script for lane in lanes for script in lane]
        before = Resources(self._kept, 1, 0)
        self.n_calls += len(scripts)
        self.played += [sent_by(script) for script in scripts]
        too_many = len(lanes) > self._at_once
        calls = [
            call_of(script, dropped=too_many or self._drops(sent_by(script)), refused=self._is_dead)
            for script in scripts
        ]
        hurt = any(self._hurts(sent_by(script)) for script in scripts)
        self._kept += sum(self._keeps(sent_by(script)) for script in scripts)
        if self._deaths > 0 and any(self._dies(sent_by(script)) for script in scripts):
            self._is_dead = True
            self._deaths -= 1
        if beside is not None:
            assert beside.name == GOOD
            calls.append(call_of(beside, dropped=hurt or self._is_dead))
        if after is not None:
            assert after.name == AFTERWARDS
            calls.append(call_of(after, refused=self._is_dead))
        return SeenRound(SeenCase(tuple(calls), self.features, before=before, after=Resources(self._kept, 1, 0)))

    def renew(self) -> None:
        self.renewed += 1
        if not self._ours and self._is_dead:
            raise ServerStaysAway("nothing listens any more on 192.0.2.1:8080")
        self._is_dead = False
