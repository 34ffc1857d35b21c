"""The share of a sound that is another one's echo: by a path fitted to it, and by one fitted before."""

import numpy as np

from audiosocket_core.echo_path import PATH, explained_by_path, explained_energy, fitted_path


def test_a_path_fitted_before_tells_its_echo_from_another_sound_within_20_ms() -> None:
    rng = np.random.default_rng(1)
    played, other = (rng.standard_normal(4000).astype(np.float32) * 1000 for _ in range(2))
    echo = np.convolve(played, [0.5, 0.0, 0.2])[: len(played)].astype(np.float32)
    share, path = fitted_path(echo[1000:2000], played, 1000)
    assert share > 0.99
    assert share == explained_energy(echo[1000:2000], played, 1000)
    assert len(path) == PATH
    assert explained_by_path(echo[3000:3160], played, 3000, path) > 0.99
    assert explained_by_path(other[3000:3160], played, 3000, path) < 0.1
    assert explained_by_path(np.zeros(160, np.float32), played, 3000, path) == 0.0
    assert explained_by_path(echo[3900:], played, 3950, path) == 0.0  # beyond what was played
