"""Its own program, with a stand-in for the cloud worker it posts speech to. python cehrig.py PROGRAM PORT.

The stand-in answers each piece of speech with half a second of a tone, as base64. The program decodes it with ffmpeg.
"""

import base64
import io
import math
import struct
import subprocess
import sys
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sound = io.BytesIO()
with wave.open(sound, "wb") as answer:
    answer.setparams((1, 2, 8000, 0, "NONE", ""))
    answer.writeframes(b"".join(struct.pack("<h", int(8000 * math.sin(n * 0.35))) for n in range(4000)))


class Worker(BaseHTTPRequestHandler):
    """Answers every POST with the tone."""

    def do_POST(self):
        """Read the speech, answer."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(base64.b64encode(sound.getvalue()))

    def log_message(self, *values):
        """Say nothing."""


worker = ThreadingHTTPServer(("127.0.0.1", 0), Worker)
program = subprocess.Popen([sys.argv[1], sys.argv[2], f"http://127.0.0.1:{worker.server_port}/"])
try:
    worker.serve_forever()
finally:
    program.kill()
