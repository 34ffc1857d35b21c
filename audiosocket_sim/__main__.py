"""`python -m audiosocket_sim`: the command line, and the state of the whole process (garbage collector, Ctrl-C)."""

import gc
import signal
import sys

from audiosocket_sim.cli.main import main as _main

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code. Once the outcome is shown, another Ctrl-C changes nothing."""
    gc.disable()  # modules are no garbage: the collector would take a quarter of the start-up time
    try:
        code = _main(on_loaded=_settle_memory)
    except KeyboardInterrupt:
        code = 4
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _settle_memory() -> None:
    """Collect garbage from now on, but never among the objects loaded so far: that would delay packets in mid-call."""
    gc.freeze()
    gc.enable()


if __name__ == "__main__":
    main()
