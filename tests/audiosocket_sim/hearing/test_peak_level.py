"""The level of the loudest sample. Arithmetic."""

import struct

import pytest

from audiosocket_sim.hearing.peak_level import peak_dbfs


@pytest.mark.parametrize(
    ("samples", "dbfs"),
    [((), None), ((0, 0), None), ((0, -32768, 5), 0.0), ((16384, 3), -6.02), ((-33, 12), -59.94)],
)
def test_the_loudest_sample_of_either_sign(samples: tuple[int, ...], dbfs: float | None) -> None:
    found = peak_dbfs(struct.pack(f"<{len(samples)}h", *samples) + b"\x01")  # half a sample at the end is left out
    assert found == dbfs if dbfs is None else found == pytest.approx(dbfs, abs=0.01)
