"""Tables of what a system says of its own answers: trusted clips and the rest, confidence, calibration."""

from emer.bench.report_grids import Grid, Line, line, percent, percents
from emer.bench.report_scores import DataScores, SystemScores


def trust_words(found: DataScores) -> tuple[str, ...]:
    if not any(system.trust.trusted or system.trust.rest for system in found.systems):
        return ()
    return (
        "Trusted is what a system says of a clip itself, by a threshold that was fitted elsewhere. A trusted F1 says "
        "something only beside its floor, the F1 of trusting every clip.",
    )


def trust_grids(found: DataScores) -> tuple[Grid, ...]:
    """Both parts of each system that tells them apart, and trusted scores where answers are right or wrong."""
    telling = [system for system in found.systems if system.trust.trusted or system.trust.rest]
    parts = [_trust_line(system, found.data.metric) for system in telling]
    flags = [_flags_line(system) for system in telling if system.trust.flags]
    heads = (
        "system",
        "trusted",
        "coverage",
        "score of trusted",
        "interval",
        "the rest",
        "score of the rest",
        "interval",
    )
    told = ("system", "precision", "recall", "F1", "floor", "gain", "accuracy", "coverage", "clips")
    grids = (
        [Grid(f"{found.data.metric} of trusted clips and of the rest, percent", heads, tuple(parts))] if parts else []
    )
    grids += (
        [
            Grid(
                "Trusted scores of clips, percent (an answer that is partly right counts as such a part)",
                told,
                tuple(flags),
            )
        ]
        if flags
        else []
    )
    return tuple(grids)


def _trust_line(system: SystemScores, metric: str) -> Line:
    trust = system.trust
    known = trust.n_trusted + trust.n_rest
    cells: list[str] = [f"{trust.n_trusted:,}", percent(trust.n_trusted / known if known else None, 1)]
    for n, score in ((None, trust.trusted), (trust.n_rest, trust.rest)):
        cells += [] if n is None else [f"{n:,}"]
        cells += ["–", "–"] if score is None else [percent(score.score), percents(score.interval)]
    return line((system.name, *cells), "here")


def _flags_line(system: SystemScores) -> Line:
    flags = system.trust.flags
    assert flags is not None
    values = (flags.precision, flags.recall, flags.f1, flags.floor, flags.gain, flags.accuracy, flags.coverage)
    return line((system.name, *(percent(value, 1) for value in values), f"{flags.n:,}"), "here")


def selective_grids(found: DataScores) -> tuple[Grid, ...]:
    """Does confidence rank answers by how good they are?"""
    lines = [
        line(
            (
                system.name,
                f"{told.aurc:.4f}",
                f"{told.e_aurc:.4f}",
                "–" if told.auroc is None else f"{told.auroc:.3f}",
                f"{told.risk:.4f}",
                *_calibrated(system),
                f"{told.n:,}",
            ),
            "here",
        )
        for system in found.systems
        if (told := system.selective)
    ]
    if not lines:
        return ()
    meaning = found.systems[0].judged.risk_means
    headings = ("system", "AURC", "E-AURC", "AUROC", "risk of all", "ECE", "band up to", "debiased ECE", "clips")
    caption = f"Selective prediction ({meaning}) and calibration; smaller is better but for AUROC"
    return (Grid(caption, headings, tuple(lines)),)


def _calibrated(system: SystemScores) -> tuple[str, str, str]:
    """An ECE inside its band is no evidence against calibration."""
    told = system.calibration
    return ("–", "–", "–") if told is None else (f"{told.ece:.3f}", f"{told.band:.3f}", f"{told.debiased:.3f}")
