"""The model card of an adapter, written from its own record."""

from collections.abc import Iterator

from emer.adapters.record import AdapterRecord, VerdictRecord

LIMITS = (
    "It says how people would name what is seen and heard, not what someone feels.",
    "Calibration holds for clips like those it was fitted on.",
    "It says nothing of who someone is, and no decision about a person may rest on it.",
)


def adapter_card(record: AdapterRecord) -> str:
    """Markdown with the front matter that model hubs read: base, data, verdict, calibration, figures, limits."""
    return "\n".join([*_front(record), *_what(record), *_verdict(record), *_how_good(record), *_limits(record), ""])


def _front(record: AdapterRecord) -> Iterator[str]:
    yield "---"
    if record.names != "merged":
        yield "library_name: peft"
    if "/" in record.base.name:  # a hub id; hubs refuse other values
        yield f"base_model: {record.base.name}"
    yield "tags: [emer, emotion-recognition, explainability, uncertainty]"
    yield "---"


def _what(record: AdapterRecord) -> Iterator[str]:
    made = {"peft": "LoRA adapter", "vllm": "LoRA adapter with vLLM's tensor names", "merged": "merged model"}
    yield f"# {made[record.names][0].upper()}{made[record.names][1:]} for emotion in video clips\n"
    yield f"Made by emer {record.emer} for **{record.base.name}** (`{record.base.model_class}`).\n"
    yield f"* base weights: `{record.base.sha256}`"
    yield f"* trained on: {record.data or 'not on record'}, {len(record.trained_rows)} row ids on record"
    if record.prompt:
        yield f"* prompt: {record.prompt.name}, SHA-256 `{record.prompt.sha256}`"
    if record.seed is not None:
        yield f"* seed: {record.seed}"
    if record.licence:
        yield f"* licence: {record.licence}"
    if record.versions:
        yield "* made with " + ", ".join(f"{name} {version}" for name, version in record.versions.items())


def _verdict(record: AdapterRecord) -> Iterator[str]:
    yield "\n## Verdict\n"
    if record.verdict is None:
        yield "None: it writes explanations only, and their confidence comes from other views."
        return
    spec = record.verdict.spec
    kind = "one right label" if spec.kind == "dirichlet" else "each label for itself, for and against"
    yield f"* label set: {spec.label_set} ({', '.join(spec.labels)}); {kind}"
    yield f"* evidence: {spec.activation}, prior weight {spec.weight:g}"
    yield f"* vocabulary rows: {_rows(record.verdict)}; they must never be generated"
    yield f"* fused by the rule {record.fusion.rule}{_reliabilities(record)}"
    yield "\nThe raw logits of these rows at the last prompt token are the verdict, in stock PEFT as in emer."


def _rows(verdict: VerdictRecord) -> str:
    rows = verdict.rows
    in_sequence = list(rows) == list(range(rows[0], rows[0] + len(rows)))
    return f"{rows[0]} to {rows[-1]}" if in_sequence else ", ".join(map(str, rows))


def _reliabilities(record: AdapterRecord) -> str:
    weights = record.fusion.reliabilities
    if not weights:
        return ""
    fitted = f" (fitted on {record.fusion.fitted})" if record.fusion.fitted else ""
    return " with " + ", ".join(f"{view} {weight:.2f}" for view, weight in weights.items()) + fitted


def _how_good(record: AdapterRecord) -> Iterator[str]:
    yield "\n## Calibration and figures\n"
    made = record.calibration
    if made is None:
        yield "Not calibrated: no confidence is shown for it. Run `emer calibrate` on labelled clips."
    else:
        for one in made.sets:
            temperature = ", ".join(f"{t:.2f}" for t in one.temperature)
            curve = ", then a rising curve" if one.curve else ""
            yield f"* {' + '.join(one.views)}: {made.data}, n = {one.n}, temperature {temperature}{curve}"
        threshold = made.threshold
        if threshold is None or threshold.value is None:
            yield "* trust: no threshold holds what was asked, so none is given"
        else:
            yield f"* trust: confidence above {max(threshold.value, 0):.2f}"
    if record.figures:
        yield "\n| measure | value |\n|---|---|"
        yield from (f"| {measure} | {value} |" for measure, value in record.figures.items())


def _limits(record: AdapterRecord) -> Iterator[str]:
    yield "\n## Limits\n"
    yield from (f"* {limit}" for limit in dict.fromkeys([*LIMITS, *record.limits]))
