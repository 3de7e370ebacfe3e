"""Which device a run computes on, and how much memory it may use."""

import logging

import pytest
import torch

from lda_app.config import TrainConfig
from lda_app.errors import ConfigError
from lda_app.system.distributed import World
from lda_app.training import resources
from lda_app.training.resources import bytes_on_disk, choose_device, memory_limit, num_weights, require_memory

UNLIMITED_IN_VERSION_1 = 9223372036854771712


@pytest.fixture
def machine(monkeypatch):
    """A machine of some GPUs."""

    def install(*, gpus=0, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return install


@pytest.mark.parametrize(
    ("asked", "gpus", "chosen"),
    [("auto", 0, "cpu"), ("cpu", 1, "cpu"), ("auto", 1, "cuda:0"), ("cuda", 1, "cuda:0")],
)
def test_the_device_is_the_one_asked_for_and_cuda_where_there_is_some(machine, asked, gpus, chosen):
    machine(gpus=gpus)
    assert str(choose_device(TrainConfig(device=asked), World())) == chosen


def test_each_process_has_a_gpu_of_its_own(machine):
    machine(gpus=2)
    assert str(choose_device(TrainConfig(), World(3, 4, local_rank=1, local_world_size=2))) == "cuda:1"
    with pytest.raises(ConfigError, match="3 processes on this machine, but CUDA devices: 2"):
        choose_device(TrainConfig(), World(2, 3, local_rank=2, local_world_size=3))


def test_cuda_is_refused_where_there_is_none(machine):
    machine()
    with pytest.raises(ConfigError, match="torch finds no CUDA device; use --device cpu or auto"):
        choose_device(TrainConfig(device="cuda"), World())


@pytest.mark.parametrize(("asked", "lines"), [("auto", 1), ("cpu", 0)])
def test_on_apples_gpu_auto_takes_the_processor_and_says_so(machine, caplog, asked, lines):
    machine(mps=True)
    with caplog.at_level(logging.INFO, "lda_app"):
        assert choose_device(TrainConfig(device=asked), World()).type == "cpu"
    assert [record.message for record in caplog.records] == lines * [
        "training on the processor: torch cannot draw Gamma samples on Apple's GPU (MPS)"
    ]


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_without_control_groups_all_memory_may_be_used(tmp_path):
    everything = memory_limit(tmp_path)
    write(tmp_path, "proc/self/cgroup", "0::/\n")
    assert memory_limit(tmp_path) == everything > 0
    write(tmp_path, "sys/fs/cgroup/memory.max", "max\n")
    assert memory_limit(tmp_path) == everything


@pytest.mark.parametrize("limited", ["", "job/", "job/step/"])
def test_a_limit_of_version_2_holds_for_all_groups_below(tmp_path, limited):
    write(tmp_path, "proc/self/cgroup", "0::/job/step\n")
    for folder in ("", "job/", "job/step/"):
        limit = "1000000" if folder == limited else "max"
        write(tmp_path, f"sys/fs/cgroup/{folder}memory.max", f"{limit}\n")
    assert memory_limit(tmp_path) == 1_000_000


@pytest.mark.parametrize("folder", ["", "docker/1f/"])  # within the container, and of the host
def test_a_limit_of_version_1(tmp_path, folder):
    groups = "12:cpu,cpuacct:/docker/1f\n9:memory:/docker/1f\n1:name=systemd:/docker/1f\n"
    write(tmp_path, "proc/self/cgroup", groups)
    write(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{UNLIMITED_IN_VERSION_1}\n")
    write(tmp_path, f"sys/fs/cgroup/memory/{folder}memory.limit_in_bytes", "2000000\n")
    write(tmp_path, "sys/fs/cgroup/cpu,cpuacct/memory.limit_in_bytes", "1\n")
    assert memory_limit(tmp_path) == 2_000_000


def test_topics_that_do_not_fit_are_refused_for_all_processes_of_the_machine(monkeypatch):
    monkeypatch.setattr(resources, "memory_limit", lambda: 30_000_000)
    config = TrainConfig(num_topics=100)
    require_memory(config, 10_000, World())
    with pytest.raises(
        ConfigError, match=r"needs 0\.032 GB in 2 processes, 0\.03 GB of memory may be used here"
    ):
        require_memory(config, 10_000, World(0, 2, 0, 2))


def test_the_moments_of_adam_take_memory_and_disk_too():
    published = TrainConfig(
        num_topics=50, topic_update="elbo", beta_optimizer="adam", encoder="mlp", hidden=300
    )
    assert num_weights(published, 2_000) == 2_000 * 3 * (50 + 300)
    assert bytes_on_disk(published, 2_000) == 8 * num_weights(published, 2_000)
