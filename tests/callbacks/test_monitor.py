"""A monitor judges at a cadence that the training pays for, and says the same as analyze() of the same points."""

import threading

import numpy as np
import pytest

from analyzer import Settings, analyze
from analyzer.auditing.notification import Notifier
from analyzer.callbacks.monitor import Monitor
from analyzer.errors import UsageError
from analyzer.model.run import Run, Series


class Training:
    """A training whose steps take `step` seconds, and whose checks take `cost` seconds a point, by its own clock."""

    def __init__(self, step, cost, **monitor):
        self.now, self.step, self.cost, self.points = 0.0, step, cost, 0
        self.monitor = Monitor(tell=lambda text: None, clock=lambda: self.now, **monitor)
        self.monitor._run = self.judged
        self.real = Run("training", "training", "callback", "", {})

    def judged(self, declared):
        self.now += self.cost * self.points
        return self.real

    def go_on(self, steps):
        for i in range(steps):
            self.points += 1
            self.now += self.step
            self.monitor.log(i, {"loss": 1.0})
            self.monitor.tick()


@pytest.mark.parametrize(("step", "cost"), [(0.01, 1e-6), (0.1, 1e-4), (1.0, 1e-3), (0.002, 1e-3)])
def test_checks_take_at_most_their_share_whatever_they_cost(step, cost):
    training = Training(step, cost)
    training.go_on(20_000)
    elapsed = training.now
    assert training.monitor.spent <= 0.0102 * elapsed  # the last check may be owed for
    if elapsed > 400:
        assert training.monitor.checks >= 2


def test_cheap_checks_come_as_often_as_somebody_may_read_them():
    training = Training(0.1, 0.0)
    training.go_on(10_000)  # 1,000 s: the first after 100 s, which pay for its imports, then every 30 s
    assert 1 + (1000 - 100) // 31 <= training.monitor.checks <= 1 + (1000 - 100) // 30


def test_nothing_new_is_not_judged_again():
    training = Training(0.1, 0.0)
    training.go_on(1_100)
    training.now += 10_000
    before = training.monitor.checks
    training.monitor.tick()
    training.now += 10_000
    training.monitor.tick()
    assert training.monitor.checks == before + 1


def points(n, bad):
    steps = np.arange(n)
    values = np.where(steps < bad, 0.2 + 2 * np.exp(-steps / 60), np.nan)
    return steps, values, 1_800_000_000.0 + 60.0 * steps


def test_it_says_what_analyze_says_of_the_same_points_and_each_thing_once():
    said = []
    monitor = Monitor("a", tell=said.append)
    steps, values, times = points(420, 300)
    for step, value, at in zip(steps.tolist(), values.tolist(), times.tolist(), strict=True):
        monitor.log(step, {"loss": value}, at)
        if step % 50 == 0:
            monitor.check()
    result = monitor.close()
    whole = Run("a", "a", "callback", "", {"loss": Series("loss", steps, values, times)}, declared="FINISHED")
    expected = analyze(whole, now=float(times[-1]) + 10)
    assert [f.to_dict() for f in result.findings] == [f.to_dict() for f in expected.findings]
    assert len([line for line in said if line.startswith("a: non-finite since step 300")]) == 1
    assert said[-1] == f"a: {result.sentence}"


def test_words_that_mean_nothing_are_refused():
    with pytest.raises(UsageError, match="unknown symptom 'non-finit'; did you mean 'non-finite'"):
        Monitor(stop_on=["non-finit"])
    with pytest.raises(UsageError, match="share"):
        Monitor(share=0)


def test_what_is_new_is_sent_without_holding_up_the_training(monkeypatch):
    held, sent = threading.Event(), []

    class Slow:
        def __init__(self, addresses):
            assert addresses == ["json://host"]

        def send(self, title, text):
            held.wait(20)
            sent.append((title, text))
            return []

    monkeypatch.setattr("analyzer.callbacks.monitor.Notifier", Slow)
    assert Notifier is not Slow
    monitor = Monitor("a", settings=Settings(), notify=["json://host"], tell=lambda text: None)
    for step, value, at in zip(*points(420, 300), strict=True):
        monitor.log(int(step), {"loss": float(value)}, float(at))
    (news,) = monitor.check()
    assert news.finding.symptom == "non-finite" and not sent
    held.set()
    monitor.close()
    ((title, text),) = sent
    assert title == "posthoc: 1 new finding in 1 run" and "a: non-finite since step 300" in text
