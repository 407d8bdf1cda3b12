"""Things in rooms: they cover a part, are as bright as the room, and leave people alone."""

import numpy as np

from training.clutter import draw_clutter, laid


def test_things_cover_a_part_of_the_room() -> None:
    covers = [float(draw_clutter(np.random.default_rng(seed), (96, 128)).cover.mean()) for seed in range(40)]
    assert min(covers) >= 0
    assert 0.1 < np.mean(covers) < 0.7


def test_what_is_not_covered_stays_and_the_rest_is_as_bright_as_the_room() -> None:
    rng = np.random.default_rng(3)
    room = rng.uniform(0.1, 0.3, (96, 128, 3)).astype(np.float32)
    for seed in range(10):
        things = draw_clutter(np.random.default_rng(seed), (96, 128))
        dim, bright = laid(room, things), laid(4 * room, things)
        free = things.cover[..., 0] == 0
        assert np.array_equal(dim[free], room[free])
        covered = things.cover[..., 0] > 0.99
        assert np.isfinite(bright).all()
        assert 3 < bright[covered].mean() / dim[covered].mean() < 5


def test_a_sharp_thing_has_an_edge() -> None:
    steps = [np.abs(np.diff(draw_clutter(np.random.default_rng(s), (96, 128)).cover[..., 0])).max() for s in range(40)]
    assert max(steps) > 0.9
