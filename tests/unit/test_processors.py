"""The imitation of other processors: what does not obey is noticed, what cannot be is passed over."""

from dataclasses import replace

import pytest
from processors import run
from processors.imitations import IMITATIONS, Imitation


def test_every_imitation_is_checked():
    assert all(imitation.sees for imitation in IMITATIONS.values())


def test_a_setting_that_is_ignored_is_noticed():
    """NUMBA_CPU_NAME alone leaves the real processor's instructions on, and so does a misspelt name."""
    ignored = Imitation("ignored", "", {"NUMBA_CPU": "westmere"}, sees={"numba": "westmere"})
    obeyed = replace(ignored, environment={"NUMBA_CPU_NAME": "westmere", "NUMBA_CPU_FEATURES": ""})
    assert run.disobeyed(ignored)[0].startswith("numba sees ")
    assert run.disobeyed(obeyed) == []


@pytest.mark.parametrize(
    ("imitation", "why"),
    [
        (Imitation("future", "", flags=("avx4096",)), "this processor has no avx4096"),
        (Imitation("emulated", "", prefix=("qemu-pdp11",)), "qemu-pdp11 is missing"),
        (Imitation("large", "", cores=4096), "this machine itself has no more than 4096"),
        (Imitation("elsewhere", "", prepare=lambda: "there is no apt-get"), "there is no apt-get"),
    ],
)
def test_what_this_machine_cannot_imitate_is_passed_over(imitation, why, tmp_path):
    outcome = run.run(imitation, [], [], tmp_path)
    assert not outcome.failed
    assert outcome.summary.startswith(f"passed over: {why}")


def test_a_failing_test_leaves_its_log(tmp_path):
    test = tmp_path / "test_cores.py"
    test.write_text("import os\ndef test_cores():\n    assert len(os.sched_getaffinity(0)) == 2\n")
    one = Imitation("one", "", cores=1)
    outcome = run.run_tests(one, [str(test), f"--rootdir={tmp_path}", "-n0"], tmp_path / "one.log")
    assert outcome.failed
    assert outcome.summary.startswith("1 failed in ")
    assert "assert 1 == 2" in (tmp_path / "one.log").read_text()
