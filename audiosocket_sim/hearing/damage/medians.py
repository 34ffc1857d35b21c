"""The median, in the middle of a call. Pure.

numpy's own loads its masked arrays when it is first called: 25 ms, in which a call on the real clock sends no packet.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["median"]


def median(values: "NDArray[Any]") -> float:
    """Return the middle value of an array of any shape, of an even number the mean of the middle two; NaN of none."""
    if not values.size:
        return float("nan")
    ordered = np.sort(values, axis=None)
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else ordered[middle - 1 : middle + 1].mean())
