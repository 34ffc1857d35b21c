"""Faults in the handshake."""

from planted.good_server import Call
from planted.table import Planted

__all__ = ["PLANTED"]


class OneReadIsTheUuid(Call):
    """Takes what the first read finds for the whole UUID message."""

    async def begin(self) -> None:
        data = await self.reader.read(19)
        if len(data) < 19:
            raise ConnectionError


PLANTED = (Planted("HS-02", OneReadIsTheUuid, "keeps the call"),)
