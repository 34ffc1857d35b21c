"""`python -m server`, the server's old name in a checkout: names the new one. It is not part of the wheel."""

import sys

if __name__ == "__main__":
    sys.exit(sys.stderr.write("python -m server is now python -m audiosocket_server\n") and 2)
