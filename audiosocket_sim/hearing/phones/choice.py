"""Makes the model of a phone by its name. Pure."""

from audiosocket_sim.hearing.phones.asterisk_adaptive import AdaptiveBuffer
from audiosocket_sim.hearing.phones.asterisk_fixed import FixedBuffer
from audiosocket_sim.hearing.phones.asterisk_hook import AsteriskHook
from audiosocket_sim.hearing.phones.fifo import Fifo
from audiosocket_sim.hearing.phones.neteq_like import NeteqLike
from audiosocket_sim.hearing.phones.packets import PhoneModel

__all__ = ["phone_model"]


def phone_model(name: str, *, delay_ms: int = 0, size_ms: int = 200, resync_ms: int = 1000) -> PhoneModel | None:
    """Return a new phone: `fifo`, `asterisk fixed`, `asterisk adaptive` or `neteq-like`; None for one that delays
    nothing (`phone`, `endless`). `delay_ms`: of `fifo`; `resync_ms`: of Asterisk's. Raises KeyError for other names."""
    makers = {
        "phone": lambda: None,
        "endless": lambda: None,
        "fifo": lambda: Fifo(delay_ms, size_ms),
        "asterisk fixed": lambda: AsteriskHook(FixedBuffer(size_ms, resync_ms)),
        "asterisk adaptive": lambda: AsteriskHook(AdaptiveBuffer(size_ms, resync_ms)),
        "neteq-like": NeteqLike,
    }
    return makers[name]()
