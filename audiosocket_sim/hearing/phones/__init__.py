"""Models of the buffer in a caller's phone: when it plays which packet, and which it loses. Pure.

`packets` says what goes in and what comes out; `fifo`, `asterisk_fixed`, `asterisk_adaptive` and `neteq_like` are the
models; `choice` makes one by its name. The two models that delay nothing, `phone` and `endless`, are
`hearing.phone_buffer`.
"""

from audiosocket_sim.hearing.phones.choice import phone_model
from audiosocket_sim.hearing.phones.packets import Lost, PhoneModel, PhonePacket, Played

__all__ = ["Lost", "PhoneModel", "PhonePacket", "Played", "phone_model"]
