"""`python -m audiosocket_sim.asterisk_real fetch`: make sure that there is a real Asterisk for the tests."""

import argparse
import sys

from audiosocket_sim.asterisk_real.packages import AsteriskMissing, fetch

_SET_UP = 3


def main() -> int:
    """Returns the exit code: 0, or 3 where there is none to be had."""
    parser = argparse.ArgumentParser(
        prog="python -m audiosocket_sim.asterisk_real",
        description="A real Asterisk for tests: the machine's own, or Debian's packages unpacked into a cache folder.",
        epilog="example: python -m audiosocket_sim.asterisk_real fetch",
    )
    parser.add_argument("action", choices=["fetch"], help="find one, or download Debian's (24 MB, no root)")
    parser.parse_args()
    try:
        found = fetch()
    except AsteriskMissing as error:
        sys.stderr.write(f"{error}\n")
        return _SET_UP
    sys.stdout.write(f"Asterisk {found.version}: {found.command[-1]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
