"""The command line: parse, call, print. Nothing heavy is imported before a command runs.

A user's error is one line on stderr and exit code 2; a bug keeps its traceback.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from emer.errors import EmerError
from emer.types import MODALITIES
from emer.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit codes: 0; 1 when some clips of many failed, or doctor found a fault; 2 for the user."""
    options = parsed(arguments)
    try:
        return int(COMMANDS[options.command](options))
    except EmerError as error:
        print(f"emer: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("emer: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader (`| head`) has gone; there is nobody to tell
        return 0


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options. Changes (`key=value`) may stand on both sides of options, which argparse alone does not take."""
    top = parser()
    options, rest = top.parse_known_args(arguments)
    if strange := [word for word in rest if "=" not in word or word.startswith("-") or "changes" not in options]:
        top.error(f"unrecognized arguments: {' '.join(strange)}")
    if rest:
        options.changes = [*options.changes, *rest]
    return options


class Parser(argparse.ArgumentParser):
    """Says of a mistake one line, as every error does; the usage is a call of --help away."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"emer: {' '.join(message.split())}; `{self.prog} --help` lists what it takes\n")


def parser() -> argparse.ArgumentParser:
    """Every command and option."""
    top = Parser(prog="emer", description="Explain emotion in video clips, with clues that can be checked.")
    top.add_argument("--version", action="version", version=f"emer {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _explain_options(commands.add_parser("explain", help="explain a clip, or all clips of a folder or manifest"))
    _clues_options(commands.add_parser("clues", help="only measure: the clues of a clip"))
    _annotate_options(commands.add_parser("annotate", help="write explanations to train on, and review them"))
    _train_options(commands.add_parser("train", help="train emotion heads, or a language model with its verdict"))
    _calibrate_options(commands.add_parser("calibrate", help="fit the confidence of heads or an adapter to your clips"))
    _export_options(commands.add_parser("export", help="write an adapter as a server takes it, proved live"))
    _score_options(commands.add_parser("score", help="score answers against gold with the metrics of the field"))
    _bench_options(commands.add_parser("bench", help="systems and methods side by side on public data, with a report"))
    doctor = commands.add_parser("doctor", help="what is installed, what is broken, and how to mend it")
    doctor.add_argument("--json", action="store_true", help="one JSON object instead of text")
    return top


def _clip_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", metavar="PATH", help="a video, sound or picture file")
    command.add_argument("--start", type=float, metavar="S", help="read from this second on")
    command.add_argument("--end", type=float, metavar="S", help="read up to this second")
    command.add_argument("--transcript", metavar="FILE", help="what is said (.srt, .vtt or .txt)")
    command.add_argument("--asr", metavar="NAME", help="recognise speech: whisper:MODEL, or pocketsphinx (unreliable)")
    command.add_argument(
        "--speaker-baseline", metavar="PATH", help="neutral recording(s) of the speaker: clues relative to it"
    )
    command.add_argument("--without", action="append", choices=MODALITIES, default=[], help="leave a modality out")
    command.add_argument(
        "--max-duration", type=float, metavar="S", help="refuse clips longer than this (default 4 hours)"
    )
    command.add_argument("--no-cache", action="store_true", help="measure anew, keep nothing")
    command.add_argument("--json", action="store_true", help="one JSON object a clip on stdout")


def _explain_options(command: argparse.ArgumentParser) -> None:
    _clip_options(command)
    command.add_argument("--html", action="store_true", help="write a report that opens in a browser")
    command.add_argument(
        "--export", metavar="KINDS", default="", help="also write TextGrid,eaf,csv,srt (comma-separated)"
    )
    command.add_argument("--out", metavar="DIR", help="folder for what is written; needed for a folder or manifest")
    command.add_argument(
        "--engine", metavar="NAME", help="who writes the explanation (default composer; transformers with --model)"
    )
    command.add_argument("--model", metavar="DIR|ID", help="a multimodal language model: a folder, or an id of the hub")
    command.add_argument("--adapter", metavar="DIR", help="an adapter on it, which adds the verdict and its confidence")
    command.add_argument(
        "--stages", type=int, choices=(1, 2), help="2: voice and face are described first, then merged"
    )
    command.add_argument(
        "--views", choices=("together", "full"), help="full: the verdict is also read with each modality alone"
    )
    command.add_argument(
        "--fusion",
        metavar="RULE",
        help="how opinions are fused (default: the rule of the trained heads, else weighted)",
    )
    command.add_argument(
        "--weights",
        default="installed",
        metavar="DIR",
        help="trained heads: a folder, or none (default: those of emer-weights, where it is installed)",
    )


def _clues_options(command: argparse.ArgumentParser) -> None:
    _clip_options(command)


def _annotate_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("path", metavar="PATH", nargs="?", help="a manifest (labels in it are used), a folder of clips, or a clip")
    add("--out", metavar="DIR", help="folder for manifest.jsonl, rejected.jsonl and review.html; taken up again")
    add("--by", choices=("composer", "endpoint"), default="composer", help="who writes (default composer)")
    add("--url", metavar="URL", help="a chat endpoint, for --by endpoint; it is sent text alone")
    add("--model", metavar="NAME", help="which model of it")
    add("--stages", type=int, choices=(1, 2), default=1, help="2: voice and face are described first, then merged")
    add("--language", choices=("en", "zh", "said"), default="en", help="said: Chinese where Chinese is spoken")
    add("--least-grounded", type=float, default=0.6, metavar="S", help="share of claims that clues must bear out")
    add("--blind", action="store_true", help="do not tell the labels to the writer; still filter by them")
    add("--weights", default="installed", metavar="DIR", help="trained heads, or none, for the composer's own labels")
    add("--asr", metavar="NAME", help="recognise speech: whisper:MODEL, or pocketsphinx (unreliable)")
    add("--no-cache", action="store_true", help="measure anew, keep nothing")
    add("--limit", type=int, metavar="N", help="only the first clips")
    add("--apply", nargs="+", metavar="FILE", help="decisions of the review page: writes reviewed.jsonl in --out")


def _train_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "config",
        metavar="CONFIG",
        help="a YAML file, or a name: emer, tmc, … (heads); qwen2.5-omni-7b_lora, … (models)",
    )
    add("changes", metavar="KEY=VALUE", nargs="*", help="changes to it: data=clips.jsonl lora.rank=32 out=DIR")
    add("--resume", action="store_true", help="of a model: go on from the last whole checkpoint in out")
    add("--dry-run", action="store_true", help="of a model: what would be trained on what, with three examples")


def _calibrate_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", metavar="DIR", help="heads (heads.json), an adapter or a merged model (emer.json)")
    command.add_argument(
        "settings",
        metavar="KEY=VALUE",
        nargs="*",
        help="data=clips.jsonl or data=table.npz (needed), model=BASE (for adapters), target_risk=0.1, delta=0.05, "
        "method=temperature, crossed=false, name=…, out=DIR",
    )


def _export_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("adapter", metavar="ADAPTER", help="the folder that emer train wrote")
    form = command.add_mutually_exclusive_group(required=True)
    form.add_argument("--to", choices=("vllm",), help="a second adapter folder with the tensor names of vLLM")
    form.add_argument("--merged", action="store_true", help="a whole model with the adapter in its weights")
    add("--base", metavar="DIR|ID", required=True, help="the model that it was trained on")
    add("--out", metavar="DIR", required=True, help="a new folder, or that of an older export")
    add(
        "--device",
        metavar="NAME",
        help="where the base is loaded to prove the export: cpu, cuda, … (default: a GPU where there is one); it takes "
        "the model's own size, 2 bytes a parameter in bfloat16",
    )


SCORES = (
    "wheel_f1, precision, m1, m2, ovmerd12, hit_rate, mscore, mer2024_ov, sentiment, jaccard, micro_f1, war_uar, war, "
    "weighted_f1, trusted, explanation, chrf, chrf_words, embedding, bertscore, clue_overlap, label_overlap"
)
"""`METRICS` of `emer.score.scoring`, which is not imported to show help."""


def _score_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("predictions", metavar="PRED", help="answers: .csv, .tsv, .jsonl, .json, .parquet or .npz, a row a clip")
    add("gold", metavar="GOLD", help="the truth, likewise")
    add("--metric", metavar="M", required=True, help=f"one of {SCORES}")
    add("--against", metavar="PRED2", help="other answers: by how much PRED is better, on the same clips")
    add("--wheels", metavar="PATH", help="released emotion tables (default: emer's own)")
    add("--nearest", metavar="DIR", help="a text encoder: unknown words count as their nearest known word (marked)")
    add("--encoder", metavar="DIR", help="for embedding and bertscore: a text encoder that transformers reads")
    add("--ring", type=int, choices=(1, 2), default=1, help="of the wheels: 1 inner, 2 middle clusters (default 1)")
    add("--strict", action="store_true", help="predicted words that the tables do not know count as wrong")
    add("--label-set", metavar="NAME", help="closed labels: ekman7, mer6, …, or wheel1 … (default: gold's own)")
    add("--groups", metavar="FILE", help="for mer2024_ov: a JSON file {word: group}, or wheel1 …")
    add(
        "--url", metavar="URL", help="a chat endpoint for what needs a model: groups, sentiment, labels in explanations"
    )
    add("--model", metavar="NAME", help="which model of it")
    add("--threshold", type=float, metavar="T", help="for trusted: what is at least so sure is trusted")
    add("--calibration", nargs=2, metavar=("PRED", "GOLD"), help="for trusted: other clips, to fit the threshold on")
    add("--rule", choices=("max_f1", "max_accuracy", "target_risk"), default="max_f1", help="how it is fitted")
    add("--target-risk", type=float, default=0.1, metavar="R", help="share of trusted labels that may be wrong")
    add("--missing", choices=("error", "empty"), default="error", help="clips without an answer (default error)")
    add("--parser", choices=("published", "tolerant"), default="published", help="how cells become labels")
    add("--encoding", metavar="NAME", help="of both files, where they are not UTF-8: gb18030, utf-16, …")
    add("--bootstrap", type=int, default=1000, metavar="N", help="resamples of the interval; 0: none (default 1000)")
    add("--seed", type=int, default=0, metavar="N", help="of the resamples (default 0)")
    add("--detail", action="store_true", help="every column of the metric")
    add("--json", action="store_true", help="one JSON object instead of text")


def _bench_options(command: argparse.ArgumentParser) -> None:
    parts = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    run = parts.add_parser("run", help="explain the clips of data sets; killed, the same command continues")
    run.add_argument("config", metavar="CONFIG", help="a YAML file, or a name in configs/bench: mer_unibench")
    run.add_argument("changes", metavar="KEY=VALUE", nargs="*", help="changes to it: folders.meld=DIR out=DIR")
    run.add_argument("--limit", type=int, metavar="N", help="clips of each data set, drawn by the seed")
    run.add_argument("--seed", type=int, metavar="N", help="draws the clips; handed to engines that draw")
    run.add_argument("--workers", type=int, metavar="N", help="processes side by side, one thread each")
    run.add_argument("--retry-failed", action="store_true", help="ask once more about clips that failed")
    report = parts.add_parser("report", help="score the answers of a run: Markdown, HTML and JSON")
    report.add_argument("folder", metavar="FOLDER", help="of the run, or its CONFIG")
    evidence = parts.add_parser("evidence", help="heads, fusion, calibration and trusted scores, trained and compared")
    evidence.add_argument("config", metavar="CONFIG", help="a YAML file, or a name in configs/bench: evidence")
    evidence.add_argument("changes", metavar="KEY=VALUE", nargs="*", help="changes to it: seeds=[0] out=DIR")


def _explain(options: argparse.Namespace) -> int:
    from emer.commands.explain import run

    return run(options)


def _clues(options: argparse.Namespace) -> int:
    from emer.commands.clues import run

    return run(options)


def _annotate(options: argparse.Namespace) -> int:
    from emer.commands.annotate import run

    return run(options)


def _train(options: argparse.Namespace) -> int:
    from emer.commands.train import run

    return run(options)


def _calibrate(options: argparse.Namespace) -> int:
    from emer.commands.calibrate import run

    return run(options)


def _export(options: argparse.Namespace) -> int:
    from emer.commands.export import run

    return run(options)


def _score(options: argparse.Namespace) -> int:
    from emer.commands.score import run

    return run(options)


def _bench(options: argparse.Namespace) -> int:
    if options.what == "run":
        from emer.commands.bench_run import run
    elif options.what == "report":
        from emer.commands.bench_report import run
    else:
        from emer.commands.bench import run
    return run(options)


def _doctor(options: argparse.Namespace) -> int:
    from emer.doctor import run

    return run(as_json=options.json)


COMMANDS = {
    "explain": _explain,
    "clues": _clues,
    "annotate": _annotate,
    "train": _train,
    "calibrate": _calibrate,
    "export": _export,
    "score": _score,
    "bench": _bench,
    "doctor": _doctor,
}

if __name__ == "__main__":
    sys.exit(main())
