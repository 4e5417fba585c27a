"""The campaign of kills: a tiny one, and that it sees what it is made to see."""

import dataclasses
import random
import signal

import pytest

from bench.kill_scenarios import Scenario, pretraining
from bench.kills import _figure, _lane
from bench.victims import Reference, call, differences, options_of, place, reference


@pytest.fixture(scope="module")
def tiny() -> Scenario:
    return pretraining(steps=12)


@pytest.fixture(scope="module")
def whole(tiny) -> Reference:
    return reference(tiny)


@pytest.mark.slow
def test_a_tiny_pretraining_survives_kills_and_stops(tiny, whole):
    signals = [signal.SIGKILL, signal.SIGTERM]
    tally = _lane(tiny, whole, signals, random.Random(0))
    assert (tally.good, tally.sent, tally.faults) == (2, 2, [])
    assert _figure("kills", tally).met


@pytest.mark.slow
def test_what_differs_and_what_was_left_is_named(tiny, whole, tmp_path):
    out = place(tiny, tmp_path)
    out.mkdir()
    (out / ".tmp-0123456789abcdef-model.safetensors").touch()
    faults = differences(tiny, whole, out)
    assert "model.safetensors" in faults[0]
    assert "metrics.jsonl" in faults[0]
    assert faults[1] == "left behind: .tmp-0123456789abcdef-model.safetensors"


@pytest.mark.slow
def test_a_command_that_cannot_go_on_is_missed(tiny, whole, capsys):
    broken = dataclasses.replace(tiny, options=(*tiny.options, "--set=model.hiden=1"))
    tally = _lane(broken, whole, [signal.SIGKILL], random.Random(0))
    assert tally.good == 0
    assert not _figure("kills", tally).met


def test_children_that_stay_are_a_fault(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr("bench.victims._CHILDREN", 0.1)
    before = ("sh", "-c", 'sleep 60 & exec "$@"', "sh")
    end = call(tiny, ["--help"], tmp_path, before=before)
    assert options_of(tiny, tmp_path, again=True)[-1] == "--resume"
    assert end.status == 0
    assert end.faults == ["1 processes were left after 0 s"]
