"""Which fault is planted for which case, and which other cases fail of it too."""

from dataclasses import dataclass

from planted.good_server import Call, Server
from planted.ways import KINDS, Ways

__all__ = ["Planted"]


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault of a server of one kind, for one case. `consequences`: the ids of the other cases that fail too.

    `says`: words that the failure of the case must hold, so that it fails for the cause that is meant. `ways`: of a
    server that none of the `KINDS` is. `spreads`: it may spoil any other call, so which cases fail too is not listed.
    `heavy`: it shows in the case's heavy form only.
    """

    case: str
    fault: type[Call] | type[Server]
    says: str
    kind: str = "doorman"
    consequences: tuple[str, ...] = ()
    ways: Ways | None = None
    spreads: bool = False
    heavy: bool = False

    @property
    def of(self) -> Ways:
        """What its server is like but for the fault."""
        return self.ways or KINDS[self.kind]

    def __str__(self) -> str:
        return f"{self.case}-{self.fault.__name__}"
