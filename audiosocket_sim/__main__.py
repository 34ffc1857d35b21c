"""`python -m audiosocket_sim`."""

import signal
import sys

from audiosocket_sim.cli.main import main as _main

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code. Once the outcome is told, a Ctrl-C more changes nothing."""
    try:
        code = _main()
    except KeyboardInterrupt:
        code = 4
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


if __name__ == "__main__":
    main()
