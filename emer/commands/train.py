"""`emer train`: a configuration and data in, a folder of trained methods with their scores out."""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from emer.bench.answers import Fold
from emer.bench.predictions import Predictions, read, write
from emer.bench.scoring import Scores, figures, score
from emer.bench.training import predictions
from emer.commands.progress import progress_bar
from emer.config import SHIPPED, read_yaml, shipped
from emer.data.rows import Part, some
from emer.data.splits import Split
from emer.data.tables import FeatureTable
from emer.errors import ConfigError
from emer.evidence.method_files import RECORD, read_method_record
from emer.files import write_text
from emer.jsonio import dumps
from emer.runs import RunFolder, run_folder
from emer.training.fit import Epoch
from emer.training.heads import HeadsConfig, Trained, chosen_views, one_thread, read_config, save, train
from emer.training.sources import SOURCES, folds_of, open_data, parts_of

SHOWN = {
    "accuracy": "accuracy",
    "uar": "UAR",
    "sets.sample.jaccard": "Jaccard",
    "sets.micro.f1": "micro F1",
    "aurc": "AURC",
    "nll": "NLL",
    "brier": "Brier",
    "ece": "ECE",
    "ece_band": "ECE, 95 % if perfect",
    "trusted.f1": "trusted F1",
    "trusted.floor": "its floor",
    "trusted.coverage": "coverage",
}
"""Figures that are printed, where they have a meaning."""
HELD_OUT: tuple[Part, ...] = ("validation", "calibration", "test")


def run(options: Namespace) -> int:
    """Train what the configuration's first key names: heads, or a language model (`emer.commands.train_llm`)."""
    task = read_yaml(file_of(options.config)).get("task")
    if task == "llm":
        from emer.commands.train_llm import run as run_llm

        return run_llm(options)
    if task != "heads":
        raise ConfigError(f"{options.config}: task is {task!r}; emer trains heads (task: heads) and models (task: llm)")
    if options.resume or options.dry_run:
        raise ConfigError("--resume and --dry-run are for language models; heads go on by the same command")
    return run_heads(options)


def file_of(config: str) -> Path:
    """A file, or the shipped configuration of a language model or of heads. Raises ConfigError that lists the names."""
    models = {path.stem: path for folder in SHIPPED for path in sorted(folder.glob("*.yaml"))}
    name = Path(config).stem if config == f"configs/{Path(config).name}" else config
    if name in models and not Path(config).is_file():
        return models[name]
    try:
        return shipped("heads", config)
    except ConfigError as error:
        raise ConfigError(f"{error}; or, for a language model, one of {', '.join(sorted(models))}") from error


def run_heads(options: Namespace) -> int:
    """Train every seed that the folder does not hold yet, then score them all."""
    config = read_config(options.config, options.changes)
    if not config.data:
        raise ConfigError("data is missing; add data=mosi, data=table.npz or data=clips.jsonl")
    one_thread()
    out = Path(config.out or f"runs/heads/{Path(options.config).stem}-{Path(config.data).stem}")
    command = f"emer train {options.config} {' '.join(options.changes)}".rstrip()
    folder = run_folder(out, config, command, may_change=("seeds",), empty_may_change=True)
    parts = parts_of_run(config, folder)
    _train_all(config, folder, parts)
    found = [_scored(folder, seed, parts, halves_of(config)) for seed in config.seeds]
    _tell(folder, config, parts, [one for one in found if one is not None])
    return 0


def parts_of_run(config: HeadsConfig, folder: RunFolder) -> dict[Part, FeatureTable]:
    """The rows of each part. Raises ConfigError where training or validation rows are missing."""
    data = open_data(
        config.data, folder=config.data_folder, split_name=config.split, labels=config.labels, out=folder.path
    )
    parts = parts_of(chosen_views(data.table, config.views), data.split)
    if missing := [part for part in ("train", "validation") if part not in parts]:
        raise ConfigError(
            f"the split {data.split.name} has no rows to {' and '.join(missing)}; name another with split=…"
        )
    return parts


def _train_all(config: HeadsConfig, folder: RunFolder, parts: Mapping[Part, FeatureTable]) -> None:
    left = [seed for seed in config.seeds if not folder.has(f"seed{seed}/{RECORD}")]
    _refuse_other_rows(config, folder, parts["train"], left)
    with progress_bar(len(left)) as bar:
        for seed in left:
            trained = train(config, parts["train"], parts["validation"], seed, _watch(bar.stage, seed, config))
            place = folder.path / f"seed{seed}"
            for part in HELD_OUT:
                if part in parts:
                    write(predictions(trained, parts[part]), place / f"{part}.npz")
            save(trained, place, config, parts["train"], parts["validation"])
            bar.next()
            bar.say(f"seed {seed}: {_course(trained)}")


def _refuse_other_rows(config: HeadsConfig, folder: RunFolder, training: FeatureTable, left: Sequence[int]) -> None:
    """Raises ConfigError for seeds of this folder that were trained on other rows than these: the file has changed."""
    kept = [seed for seed in config.seeds if seed not in left]
    if other := [s for s in kept if read_method_record(folder.path / f"seed{s}").data_sha256 != training.sha256]:
        raise ConfigError(
            f"{folder.path} holds seeds trained on other rows or features ({some(other)}): {config.data} has changed "
            "since; name another folder with out=…"
        )


def _watch(stage: Callable[[str, float], None], seed: int, config: HeadsConfig) -> Callable[[int, Epoch], None]:
    def watch(number: int, epoch: Epoch) -> None:
        stage(f"seed {seed}, epoch {number + 1}, validation NLL {epoch.nll:.3f}", (number + 1) / config.training.epochs)

    return watch


def _course(trained: Trained) -> str:
    kept = [one.epochs[one.best] for one in trained.fitted]
    epochs = ", ".join(f"{one.best + 1} of {len(one.epochs)}" for one in trained.fitted)
    nll, error = (float(np.mean([getattr(epoch, name) for epoch in kept])) for name in ("nll", "error"))
    return f"kept epoch {epochs}; validation NLL {nll:.3f}, error {error:.3f}"


# ---------------------------------------------------------------- scores


def _scored(folder: RunFolder, seed: int, parts: Mapping[Part, FeatureTable], halves: Sequence[Split]) -> Scores | None:
    """Scores on the test rows, calibrated on the calibration rows, or, where the data set has halves, each half of
    the test rows on the other; None where there is neither."""
    if "test" not in parts:
        return None
    test = read(folder.path / f"seed{seed}" / "test.npz")
    if "calibration" in parts:
        return score([Fold(read(folder.path / f"seed{seed}" / "calibration.npz"), test)]).all
    crossed = [Fold(_rows(test, half.calibration), _rows(test, half.test)) for half in halves]
    return score(crossed).all if crossed else None


def _rows(predictions: Predictions, names: Sequence[str]) -> Predictions:
    wanted = set(names)
    return predictions.take([i for i, row in enumerate(predictions.rows) if row in wanted])


def halves_of(config: HeadsConfig) -> tuple[Split, ...]:
    """The two halves of a public test part that serve in turn to calibrate and to test; () where there are none."""
    if config.split or config.data not in SOURCES:
        return ()
    splits = folds_of(config.data)
    return splits if len(splits) > 1 and splits[0].train == splits[1].train else ()


def _tell(folder: RunFolder, config: HeadsConfig, parts: Mapping[Part, FeatureTable], found: Sequence[Scores]) -> None:
    counts = ", ".join(f"{len(table.rows)} {part}" for part, table in parts.items())
    table = parts["train"]
    lines = [f"{config.method} on {table.name}: {counts} rows; seeds {', '.join(map(str, config.seeds))}"]
    if table.note:
        lines.append(f"note: {table.note}")
    if found:
        each = [figures(one) for one in found]
        values = {name: [one[name] for one in each if name in one] for name in each[0]}
        result = {
            name: {"mean": float(np.mean(v)), "sd": float(np.std(v, ddof=1)) if len(v) > 1 else None}
            for name, v in values.items()
        }
        write_text(
            folder.path / "results.json",
            dumps(
                {
                    "data": table.name,
                    "data_sha256": table.sha256,
                    "seeds": config.seeds,
                    "test": result,
                    "per_seed": each,
                }
            )
            + "\n",
        )
        source = "calibration rows" if "calibration" in parts else "the other half of the test rows, in turn"
        lines += [f"test rows, temperature and threshold from {source} (mean ± sd over seeds):"]
        lines += [f"  {title:<22}{_number(values[name])}" for name, title in SHOWN.items() if name in values]
    else:
        lines.append("no scores: the split has no calibration or no test rows (a threshold is never fitted on test)")
    lines.append(f"written to {folder.path}")
    print("\n".join(lines))


def _number(values: Sequence[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"
