"""Toys of reinforcement learning really learn, their faults do harm, and the score counts what is said of them."""

import numpy as np
import pytest

from benchmarks.rl.control import Agent
from benchmarks.rl.control import train as act
from benchmarks.rl.kinds import KINDS, learnt, lost
from benchmarks.rl.logs import SB3
from benchmarks.rl.nets import Net
from benchmarks.rl.one import asked, made
from benchmarks.rl.score import Counts, Said, totals


def test_the_gradient_of_a_network_is_that_of_finite_differences():
    rng = np.random.default_rng(0)
    net, x = Net(rng, 3, 2, gain=1.0), rng.standard_normal((5, 3))
    by_weight, by_input = net.gradient(x, np.ones((5, 2)))
    for i, weight in enumerate(net.weights):
        before = net(x).sum()
        weight.flat[0] += 1e-6
        assert (net(x).sum() - before) / 1e-6 == pytest.approx(by_weight[i].flat[0], rel=1e-4, abs=1e-5)
    moved = x.copy()
    moved[0, 0] += 1e-6
    assert (net(moved).sum() - net(x).sum()) / 1e-6 == pytest.approx(by_input[0, 0], rel=1e-3)


def test_an_agent_learns_and_a_swap_of_its_controls_undoes_it():
    assert learnt(act(np.random.default_rng(3), Agent(updates=60, rate=0.005)))
    swapped = act(np.random.default_rng(3), Agent(updates=80, rate=0.005, mirrored=0.6, sticks=0.6))
    assert lost(swapped) and not learnt(swapped)


def test_a_run_is_written_read_and_judged(tmp_path):
    name, seed, library, clear = made(("texts-too-hard", 1), tmp_path)
    assert clear
    ours, theirs = asked((name, seed, library), tmp_path, None)
    assert theirs is None and ours.family == "rl"
    assert Counts().add(name, ours) == ""


def test_minus_the_entropy_is_logged_where_the_library_does_so(tmp_path):
    from analyzer import open_runs

    log = act(np.random.default_rng(0), Agent(updates=12))
    SB3.write(log, tmp_path / "run", pace=1.0)
    (run,) = open_runs(tmp_path / "run")
    assert np.allclose(run.series["train/entropy_loss"].values, -log.values("entropy"), atol=1e-6)


def test_misses_false_alarms_and_other_families_are_counted():
    counts = Counts()
    name = "gan-beaten"
    assert counts.add(name, Said(((("discriminator-wins",), "warning"),), "problems", "gan")) == ""
    assert "nothing" in counts.add(name, Said((), "healthy", "gan"))
    assert "overfitting" in counts.add(name, Said(((("overfitting",), "error"),), "problems", "supervised"))
    assert (counts.runs, counts.right, counts.false, counts.family) == (3, 1, 1, 2)
    assert "faults named: 1 of 3" in " ".join(totals({name: counts}, "posthoc"))


def test_an_info_does_not_name_a_fault_that_deserves_a_warning():
    assert KINDS["ppo-rate-jump"].least == "warning"
    counts = Counts()
    counts.add("ppo-rate-jump", Said(((("reward-collapse",), "info"),), "healthy", "rl"))
    assert counts.right == 0
