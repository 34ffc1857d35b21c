"""The text of docs/matrix.md, from what servers.yaml and findings.yaml say and from the runs. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

Server = Mapping[str, Any]
Run = Mapping[str, Any]
Finding = Mapping[str, Any]

_OUTCOMES = {
    "pass": "passed",
    "fail": "**failed**",
    "warn": "warned",
    "inconclusive": "inconclusive",
    "not run": "not run",
}
LOOKED_AT = """\
Failures of every run that was made for this page: a case that is inconclusive or not run above failed in another one.
"""
FIRST = """\
## How soon the first finding comes

Three servers that nobody here had called before, on a machine with two busy cores, from the command to the first
failed case: `tanujs22` 41 s (it sends a text for a message), `cehrig` 57 s (a key ends the call), both true. `evizuete`
took 207 s: it takes one call at a time, so that the cases run one after the other, and the port was refused while our
main began it anew, which is a finding about the main. Its true one, the program that ends at half a UUID, came later.

Since then the cases that find most come first. A bot of our own that takes one call, and ends it at a key: the first
true finding after 50 s, the key after 58 s; in the order of before it took 170 s of calls, of which 47 s are left.
"""
HEAD = """\
# Servers that others wrote

{n} AudioSocket servers in {languages}, each called by `audiosocket-sim check` ([check.md](check.md)) and judged by
the same cases. Every case that failed was looked at by hand, in the server's source: is it theirs, or ours? Both are
listed below.

Nothing of these projects is in this repository. `docs/matrix/servers.yaml` says where each comes from, at which
commit or version, and how it was started. A server that needs a service or has no program of its own is called by a
short main of ours in `docs/matrix/mains/`, which calls their code unmodified. A main decides what is said in a call:
a library that leaves the silence to its user cannot be blamed for it, and such a failure stands below as the main's.
The page is made by `docs/matrix/make_matrix.py`: it looks whether each folder is at the commit that is named here,
calls the server, and writes the page. It does not build anything; what is compiled is built by hand, as each project
says.

A failed case says what Asterisk, or a caller, would suffer from this commit in this case. It does not say that the
project is a bad one, and much may have been mended since.

`check` has 149 cases today. Case AO-18 is newer than these runs, so they have 148; those of `evizuete` and `sherlok260`
are older still, and have 112. A case that a run does not have stands as not run (–) in the matrix.
"""


def page(servers: Sequence[Server], runs: Mapping[str, Run], findings: Mapping[str, Any], table: str) -> str:
    """Return the page. `runs`: by the server's name, as `check --json` writes them. `table`: of `check matrix`."""
    languages = sorted({server["language"] for server in servers})
    parts = [
        HEAD.format(n=len(servers), languages=", ".join(languages[:-1]) + " and " + languages[-1]),
        "## The servers\n",
        _servers(servers, runs),
        "## The matrix\n",
        table,
        "## Each failure, looked at\n",
        LOOKED_AT,
        *[_of_server(one["name"], runs.get(one["name"]), findings["theirs"].get(one["name"], [])) for one in servers],
        FIRST,
        "## False alarms, found here and mended\n",
        "What the first runs said of a server, and was ours.\n",
        _ours(findings["ours"]),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def not_looked_at(runs: Mapping[str, Run], findings: Mapping[str, Any]) -> list[str]:
    """Return each failed case that no finding speaks of, as `name ID`. `"*"` in a finding: all of this server's."""
    known = {name: {id_ for one in found for id_ in one["cases"]} for name, found in findings["theirs"].items()}
    return [
        f"{name} {case['id']}"
        for name, run in runs.items()
        for case in run["cases"]
        if case["outcome"] == "fail" and not known.get(name, set()) & {case["id"], "*"}
    ]


def _servers(servers: Sequence[Server], runs: Mapping[str, Run]) -> str:
    rows = ["| name | language | what it is | from | licence | in a call | cases |", "|---|---|---|---|---|---|---|"]
    for server in servers:
        cells = [
            f"`{server['name']}`",
            server["language"],
            server["what"],
            _origin(server["from"]),
            server["licence"],
            _in_a_call(server),
            _counts(runs.get(server["name"])),
        ]
        rows.append("| " + " | ".join(str(cell).strip() for cell in cells) + " |")
    return "\n".join(rows)


def _origin(origin: Mapping[str, Any]) -> str:
    where = origin["repository"]
    name = where.removeprefix("https://github.com/")
    if "commit" in origin:
        return f"[{name}]({where}) at `{origin['commit']}`"
    kind = "npm" if "npm" in origin else "pypi"
    return f"{'npm' if kind == 'npm' else 'PyPI'}: `{origin[kind]}` {origin['version']} ([{name}]({where}))"


def _in_a_call(server: Server) -> str:
    main = f" ([main](matrix/mains/{server['main']}))" if "main" in server else ""
    return str(server["call"]).strip() + main


def _counts(run: Run | None) -> str:
    if run is None:
        return "not run"
    counts = run["counts"]
    found = ", ".join(f"{counts[key]} {name}" for key, name in _OUTCOMES.items() if counts.get(key))
    return f"of {len(run['cases'])}: {found}"


def _of_server(name: str, run: Run | None, found: Sequence[Finding]) -> str:
    lines = [f"### {name}\n"]
    if run is not None and run["trouble"]:
        lines.append(f"{run['trouble']}\n")
    if not found:
        lines.append("No case failed.")
    for one in found:
        whose = {"theirs": "", "main": " (the main's, not the library's)"}[one.get("whose", "theirs")]
        cases = "all that failed" if one["cases"] == ["*"] else ", ".join(one["cases"])
        lines.append(f"- {cases}{whose}: {str(one['says']).strip()}")
    return "\n".join(lines) + "\n"


def _ours(found: Sequence[Finding]) -> str:
    return "\n".join(f"- {str(one['says']).strip()} (seen on {', '.join(one['seen_on'])})" for one in found)
