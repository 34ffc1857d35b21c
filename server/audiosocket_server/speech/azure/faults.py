"""Error texts for failures of Azure Speech: one line for the log, with the meaning and what to set or to install.

The SDK's own text follows in parentheses. It holds addresses and connection ids, but no key and no words of a caller.
"""

import asyncio
import ctypes
import socket
from contextlib import suppress
from urllib.parse import urlsplit

from audiosocket_server.speech.base import SpeechError, SpeechUnavailable

__all__ = ["fault", "why_no_connection"]

CONNECT_SECONDS = 3.0
LONGEST_DETAIL = 300

# By the name of the SDK's CancellationErrorCode. _SET_UP: somebody must change the set-up. _FOR_NOW: waiting may help.
_SET_UP = {
    "AuthenticationFailure": "Azure rejects the key: check AZURE_SPEECH_KEY, and that it belongs to this region or "
    "endpoint",
    "Forbidden": "Azure denies access: the key does not allow this, or its quota is used up",
    "BadRequest": "Azure rejects the request: check speech.language, greeting.voice and the endpoint",
}
_FOR_NOW = {
    "TooManyRequests": "Azure throttles: too many requests at once for this key",
    "ConnectionFailure": "no connection to Azure",
    "ServiceTimeout": "Azure does not answer in time",
    "ServiceUnavailable": "Azure is not available",
    "ServiceError": "Azure failed",
}


def fault(code: str, detail: str) -> SpeechError:
    """Return the error for a cancellation. `code`: name of its CancellationErrorCode; `detail`: its error details."""
    original = f"({code}: {_one_line(detail)})"
    if "(404)" in detail:
        return SpeechError(f"there is no Azure Speech at this address: check AZURE_SPEECH_ENDPOINT {original}")
    if code in _SET_UP:
        return SpeechError(f"{_SET_UP[code]} {original}")
    return SpeechUnavailable(f"{_FOR_NOW.get(code, 'Azure failed')} {original}")


def _one_line(detail: str) -> str:
    line = " ".join(detail.split())
    return line if len(line) <= LONGEST_DETAIL else f"{line[:LONGEST_DETAIL]}…"


async def why_no_connection(address: str) -> SpeechError | None:
    """Look for causes that the SDK does not distinguish: no TLS library, no such host, no certificates.

    `address`: where the SDK connects to, such as wss://HOST/. Returns an error that says what to do; None if it is none
    of these causes. Takes at most some seconds.
    """
    if not _has_openssl():
        return SpeechError("the Azure Speech SDK needs OpenSSL at run time, even for ws://: apt install libssl3")
    import ssl  # imported late: it may need the same library

    parts = urlsplit(address)
    host, tls = parts.hostname or "", parts.scheme in ("wss", "https")
    port = parts.port or (443 if tls else 80)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            context = ssl.create_default_context() if tls else None
            _, writer = await asyncio.open_connection(host, port, ssl=context)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    except ssl.SSLCertVerificationError as error:
        return SpeechError(
            f"the certificate of {host} cannot be verified: apt install ca-certificates, or set SSL_CERT_FILE "
            f"({getattr(error, 'verify_message', error)})"
        )
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            return SpeechError(f"there is no host {host}: check AZURE_SPEECH_REGION or AZURE_SPEECH_ENDPOINT")
    except (OSError, TimeoutError):
        pass
    return None


def _has_openssl() -> bool:
    for name in ("libssl.so.3", "libssl.so.1.1"):
        with suppress(OSError):
            ctypes.CDLL(name)
            return True
    return False
