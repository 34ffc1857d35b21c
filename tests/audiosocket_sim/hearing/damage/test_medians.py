"""The median without numpy's own: the same figures."""

import math

import numpy as np
import pytest

from audiosocket_sim.hearing.damage.medians import median


@pytest.mark.parametrize("values", [[3.0], [1, 9, 4], [4, 1, 9, 2], [[1.5, -2.0], [0.25, 7.0]], [0.1, 0.2, 0.3, 0.7]])
def test_it_is_numpys(values: list[float]) -> None:
    assert median(np.array(values)) == float(np.median(np.array(values)))


def test_of_nothing_there_is_none() -> None:
    assert math.isnan(median(np.array([])))
