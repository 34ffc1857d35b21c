"""All that a case is, for people: `--explain AO-03`; and the list of all cases, `--list`. Pure."""

from collections.abc import Iterator, Sequence

from audiosocket_sim.conformance.case import SECTIONS, Case
from audiosocket_sim.conformance.features import FEATURES, ROLES
from audiosocket_sim.conformance.results.lines import TextLine, TextPart, labelled, text_line
from audiosocket_sim.conformance.results.wire_words import hex_bytes
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    PeerAction,
    ReadAgain,
    Reset,
    Script,
    Send,
    SendPaced,
    SendSound,
    SignOfLife,
    Starve,
    StopReading,
    StopServer,
    WaitForEnd,
    WaitForQuiet,
    WaitForSound,
)

__all__ = ["action_words", "explain_lines", "list_lines", "need_words"]

_MOST_CALLS = 4


def list_lines(cases: Sequence[Case]) -> Iterator[TextLine]:
    """Yield the cases by section: id, level, title."""
    for name, words in SECTIONS.items():
        mine = [case for case in cases if case.id[:2] == name]
        if not mine:
            continue
        yield (TextPart(f"{name}  {words}", "bold"),)
        for case in mine:
            notes = [*(["only with --heavy"] if case.only_heavy else []), *map(need_words, case.needs)]
            note = f"  ({'; '.join(notes)})" if notes else ""
            yield (
                TextPart(f"  {case.id}  "),
                TextPart(f"{case.level:<6}  ", "dim"),
                TextPart(case.title),
                TextPart(note, "dim"),
            )


def explain_lines(case: Case, width: int) -> Iterator[TextLine]:
    """Yield all that is known of a case: what the peer does, what a good server does, why, and step by step."""
    yield (TextPart(f"{case.id}  {case.title}", "bold"), TextPart(f"  ({case.level}; {SECTIONS[case.id[:2]]})", "dim"))
    yield from labelled("the peer", case.peer, width)
    yield from labelled("good", f"a good server {case.good}", width)
    yield from labelled("why", case.why, width)
    yield from labelled("read", f"docs/protocol.md, section {case.section}", width)
    if case.since:
        yield from labelled("since", case.since, width)
    for need in case.needs:
        yield from labelled("needs", need_words(need), width)
    if case.two_at_once:
        yield from labelled("needs", need_words("two_calls"), width)
    if case.only_heavy:
        yield from labelled("runs", "with --heavy only", width)
    if case.alone:
        yield from labelled("runs", "alone on the real clock: it measures pace", width)
    yield from labelled(
        "takes", f"{case.seconds(heavy=False):.1f} s at most, {_count(case.n_calls(heavy=False))}", width
    )
    if case.asterisk is not None:
        call = case.asterisk
        words = f"Asterisk {call.version}, {call.attach}: the caller listens for {call.listens:g} s, "
        words += f"speaks for {call.speaks:g} s, is quiet for {call.quiet:g} s, and hangs up"
        yield from labelled("call", words, width)
    yield from _scripts(case.scripts, "steps", width)
    if case.heavy:
        yield text_line("  with --heavy:", "dim")
        yield from _scripts(case.heavy, "steps", width)


def _scripts(scripts: Sequence[Script], label: str, width: int) -> Iterator[TextLine]:
    for script in scripts[:_MOST_CALLS]:
        if len(scripts) > 1:
            begins = f", which begins after {script.starts:g} s" if script.starts else ""
            yield from labelled(label, f"{script.name}{begins}:", width, "bold")
            label = ""
        for number, action in enumerate(script.actions, 1):
            yield from labelled(label, f"{number}. {action_words(action)}", width)
            label = ""
    if len(scripts) > _MOST_CALLS:
        yield from labelled("", f"… and {len(scripts) - _MOST_CALLS} more calls", width)


def need_words(name: str) -> str:
    """Return in words what a case needs of a server: a feature, or a role."""
    alternatives = name.split("|")
    if len(alternatives) > 1:
        return ", or ".join(map(need_words, alternatives))
    if name in ROLES:
        return f"the role {name} in check.yaml: a server that {ROLES[name]}"
    return f"a server that {FEATURES[name]}"


def action_words(action: PeerAction) -> str:
    """Return an action of the peer in words, as the end of "the peer …"."""
    match action:
        case Announce(uuid=uuid, gap=gap, pieces=pieces, then=then):
            which = "the UUID" if uuid is None else f"the UUID {uuid.hex()}"
            how = f"in pieces of {_lengths(pieces)} bytes and the rest" if pieces else "a byte at a time"
            slow = f" {how}, {gap * 1000:g} ms apart" if gap else ""
            more = f", and in the same write {_data(then)}" if then else ""
            return f"sends {which}{slow}{more}"
        case Send(data=data, pieces=pieces, gap=gap):
            cut = f" in pieces of {_lengths(pieces)} bytes and the rest, {gap * 1000:g} ms apart" if pieces else ""
            return f"writes {_data(data)}{cut}"
        case SendPaced(messages=messages, every=every):
            first = f", the first one {hex_bytes(messages[0])}" if messages else ""
            return f"sends {len(messages)} messages, one every {every * 1000:g} ms{first}"
        case SendSound(seconds=seconds, sound=sound, packet=packet, kind=kind, until_sound=until, jitter=jitter):
            words = {"words": "a caller's words", "silence": "digital silence", "tone": "a tone"}[sound]
            other = f", kind 0x{kind:02x}" if kind != 0x10 else ""
            late = f", single ones up to {jitter * 1000:g} ms late" if jitter else ""
            end = "until the server sends sound, at most " if until else "for "
            return f"sends {words} {end}{seconds:g} s in packets of {packet * 1000:g} ms{other}{late}"
        case StopServer():
            return "has the server stopped, as whoever runs it does"
        case Pause(seconds=seconds):
            return f"sends nothing for {seconds:g} s"
        case WaitForSound(at_most=at_most):
            return f"waits until the server sends sound, {at_most:g} s at most"
        case WaitForQuiet(quiet=quiet, at_most=at_most):
            return f"waits until the server is quiet for {quiet:g} s, {at_most:g} s at most"
        case WaitForEnd(at_most=at_most):
            return f"waits until the server ends the connection, {at_most:g} s at most"
        case StopReading():
            return "stops reading"
        case ReadAgain():
            return "reads again"
        case FinishSending():
            return "closes its sending side (FIN) and goes on reading"
        case Close():
            return "closes the connection (FIN)"
        case Reset():
            return "resets the connection (RST)"
        case Starve(seconds=seconds):
            return f"takes the processor from everybody for {seconds * 1000:g} ms (in virtual time)"
        case SignOfLife(at_most=at_most):
            return f"looks whether the server still serves the call, {at_most:g} s at most"


def _data(data: bytes) -> str:
    return f"{len(data)} bytes: {hex_bytes(data)}" if len(data) > 1 else f"1 byte: {hex_bytes(data)}"


def _lengths(pieces: Sequence[int]) -> str:
    shown = ", ".join(map(str, pieces[:5]))
    return f"{shown}, …" if len(pieces) > 5 else shown


def _count(calls: int) -> str:
    return "1 call" if calls == 1 else f"{calls} calls"
