"""Words stand off the curves and never over each other."""

import numpy as np

from analyzer.writers.annotations import Drawn
from analyzer.writers.curve import Gap
from analyzer.writers.label_placement import words

X = np.linspace(0, 1, 200)


def test_a_label_goes_where_the_curve_is_not():
    high = [(X, np.where(X < 0.5, 0.95, 0.5))]
    (word,) = words(200, high, [Drawn("region", "after it", 0.2, 0.6)], [])
    assert word.y - 11 >= 200 * 0.05 + 1
    (word,) = words(200, [(X, np.full(200, 0.2))], [Drawn("region", "after it", 0.2, 0.6)], [])
    assert (word.y, word.anchor) == (13, "start")


def test_words_at_one_place_stand_under_each_other():
    marks = [Drawn("step", "best", 0.4, 0.4), Drawn("region", "after it", 0.4, 1.0), Drawn("step", "end", 0.4, 0.4)]
    places = [(word.y, word.anchor) for word in words(200, [], marks, [])]
    assert len(set(places)) == 3


def test_two_curves_that_break_off_together_are_told_once():
    gaps = [Gap(0.7, 1, "NaN", 0.3, 70), Gap(0.71, 1, "NaN", 0.4, 71), Gap(0.2, 0.3, "NaN", 0.4, 20)]
    assert [word.at for word in words(200, [], [], gaps)] == [0.7, 0.2]


def test_a_level_is_named_where_the_curve_leaves_room():
    rising = [(X, 0.05 + 0.9 * X)]
    (word,) = words(200, rising, [Drawn("level", "best so far", 0.93, 0.93)], [])
    assert word.anchor == "start" and word.up == 0.93
