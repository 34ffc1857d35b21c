"""Echo, on the library's own Audiosocket and Connection. python silentindark.py CODE PORT."""

import sys
from threading import Thread

sys.path.insert(0, sys.argv[1])
from audiosocket import Audiosocket


def echo(call):
    """Send back what is heard until the library says that the call is over."""
    while call.connected:
        call.write(call.read())


server = Audiosocket(("127.0.0.1", int(sys.argv[2])))
while True:
    Thread(target=echo, args=(server.listen(),), daemon=True).start()
