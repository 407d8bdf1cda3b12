"""Things in rooms: they cover a part, are as bright as the room, and leave people alone."""

import numpy as np

from training.clutter import Clutter, draw_clutter, laid, level_of


def test_things_cover_a_part_of_the_room() -> None:
    covers = [float(draw_clutter(np.random.default_rng(seed), (96, 128)).cover.mean()) for seed in range(40)]
    assert 0.1 < np.mean(covers) < 0.7


def test_what_is_not_covered_stays_and_the_rest_is_as_bright_as_the_room() -> None:
    rng = np.random.default_rng(3)
    room = rng.uniform(0.1, 0.3, (96, 128, 3)).astype(np.float32)
    for seed in range(10):
        things = draw_clutter(np.random.default_rng(seed), (96, 128))
        dim, bright = (laid(r, things, level_of(r)) for r in (room, 4 * room))
        free = things.cover[..., 0] == 0
        assert np.array_equal(dim[free], room[free])
        covered = things.cover[..., 0] > 0.99
        assert np.isfinite(bright).all()
        assert 3 < bright[covered].mean() / dim[covered].mean() < 5


def test_a_thing_as_bright_as_the_room_has_no_outline() -> None:
    for seed in range(10):
        cover = draw_clutter(np.random.default_rng(seed), (96, 128)).cover
        grey = laid(np.full((96, 128, 3), 0.3, np.float32), Clutter(0.5 * np.repeat(cover, 3, 2), cover), 0.6)
        assert abs(grey - 0.3).max() < 1e-5
    soft = draw_clutter(np.random.default_rng(0), (96, 128))
    assert (soft.paint <= 1.5 * soft.cover + 1e-5).all()


def test_the_person_does_not_say_how_bright_the_things_are() -> None:
    room, free = np.full((2, 96, 128, 3), 0.4, np.float32), np.ones((2, 96, 128), bool)
    room[:, :, :100], free[:, :, :100] = 0.01, False
    assert level_of(room, free) == level_of(np.full((96, 128, 3), 0.4, np.float32))
    assert level_of(room, np.zeros_like(free)) == 1


def test_a_sharp_thing_has_an_edge() -> None:
    steps = [np.abs(np.diff(draw_clutter(np.random.default_rng(s), (96, 128)).cover[..., 0])).max() for s in range(40)]
    assert max(steps) > 0.9
