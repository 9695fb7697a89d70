"""Several processes: the losses of one process with a larger batch, one voice, and no waiting for what never comes."""

import socket
from pathlib import Path

import pytest
import yaml
from llm_runs import command, configuration, launched, losses, manifest

from emer.adapters.files import read_adapter
from emer.cli import main
from emer.training.llm.validation import Processes

CONFIGS = Path(__file__).parents[3] / "configs" / "accelerate"
PATIENCE = 900
"""Seconds after which processes that wait for one another are taken for stuck."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def two_processes() -> tuple[str, ...]:
    """accelerate's launcher for two processes; where there is no GPU they talk by gloo (--cpu alone would want MPI)."""
    options = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    options += ["--dynamo_backend", "no", "--num_cpu_threads_per_process", "1"]
    return ("accelerate.commands.launch", *options, "--main_process_port", str(free_port()), "-m")


@pytest.mark.long
def test_two_processes_take_the_steps_of_one_with_twice_the_batch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sound of half of the clips is withheld, another half in each epoch: often one process alone has sound, and
    one alone has a known label. Losses are summed in another order, which floats feel in the seventh digit."""
    manifest(tmp_path, sound=True)
    modest = {
        "dropout": {"modality": 0.0, "sentences": 0.0, "media": 0.5},
        "lora": {"rank": 4, "alpha": 8, "dropout": 0.0},
    }
    more = {"evaluation": {"every": 1, "generate": 2, "max_new_tokens": 4}}
    configuration(tmp_path, **modest, **more, schedule={"batch_size": 2})
    assert main(command(tmp_path, family="qwen2_5_omni", out="one")) == 0
    capsys.readouterr()
    configuration(tmp_path, **modest, **more, schedule={"batch_size": 1})
    process = launched(command(tmp_path, family="qwen2_5_omni", out="two"), tmp_path, two_processes())
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err[-2000:]
    one, two = losses(tmp_path, "one"), losses(tmp_path, "two")
    assert one.keys() == two.keys()
    assert len(one) == 8
    for step, line in one.items():
        for part in ("loss", "text", "verdict", "grad_norm"):
            assert two[step][part] == pytest.approx(line[part], rel=1e-4, abs=1e-5), (step, part)
    assert out.count("loaded again and proved live") == 1
    assert out.count("emer explain CLIP") == 1
    first, second = (read_adapter(tmp_path / name / "adapter") for name in ("one", "two"))
    assert first.tensors.keys() == second.tensors.keys()
    for name, tensor in first.tensors.items():
        assert (second.tensors[name] - tensor).abs().max() < 1e-4, name


def test_pieces_of_work_are_shared_out_evenly_and_none_is_forgotten() -> None:
    """Five pieces for two processes by hand: three each, the first piece twice, so that nobody waits for the other."""
    assert Processes(0, 2).mine(5) == [0, 2, 4]
    assert Processes(1, 2).mine(5) == [1, 3, 0]
    assert Processes(0, 1).mine(3) == [0, 1, 2]
    assert Processes(1, 2).mine(0) == []


@pytest.mark.parametrize("name", ["ddp", "fsdp2", "zero2"])
def test_accelerate_reads_the_files_that_ship(name: str) -> None:
    """Oracle: accelerate's own reader, which refuses keys that it does not know."""
    config_args = pytest.importorskip("accelerate.commands.config.config_args")
    path = CONFIGS / f"{name}.yaml"
    found = config_args.load_config_from_file(str(path))
    told = yaml.safe_load(path.read_text())
    assert found.distributed_type.value == told["distributed_type"]
    assert (found.num_processes, found.mixed_precision) == (2, "bf16")
    assert path.read_text().startswith(f"# accelerate launch --config_file configs/accelerate/{name}.yaml -m emer.cli")


def test_the_sharding_of_fsdp2_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: accelerate's own plugin, made from the environment variables that its launcher would set."""
    utils = pytest.importorskip("accelerate.utils")
    told = yaml.safe_load((CONFIGS / "fsdp2.yaml").read_text())["fsdp_config"]
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    for key, value in told.items():
        monkeypatch.setenv(key.upper(), str(value).lower() if isinstance(value, bool) else str(value))
    plugin = utils.FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward is True
    assert plugin.state_dict_type.name == "SHARDED_STATE_DICT"
