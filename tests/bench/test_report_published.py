"""The table of published numbers, held against what its sources print beside them."""

import pytest

from emer.bench.published import benchmark, means, note, published
from emer.data import ch_sims, cmu_sentiment, iemocap, meld, mer, ovmerd
from emer.errors import ConfigError
from emer.registry import DATASETS
from emer.score.scoring import METRICS
from emer.tables import table


def test_the_nine_scores_of_every_row_average_to_the_mean_that_its_source_prints() -> None:
    # The source rounds each number to two places, so a recomputed mean may be off by .01.
    for row in table("emer.bench", "published.yaml")["mer_unibench"]:
        assert len(row["scores"]) == 9, row["system"]
        assert sum(row["scores"]) / 9 == pytest.approx(row["mean"], abs=0.0101), row["system"]


def test_affectgpts_row_is_the_one_that_its_predictions_score() -> None:
    # The released predictions score 62.522881, 55.649145 and 88.489744 with the original scorer (parity set).
    ours = {name: published(name) for name in ("ovmerd_plus", "meld", "ch_sims")}
    scores = {
        name: [row.score for row in rows if (row.system, row.inputs) == ("AffectGPT", "A+V+T")]
        for name, rows in ours.items()
    }
    assert scores == {"ovmerd_plus": [62.52], "meld": [55.65], "ch_sims": [88.49]}


def test_every_number_says_where_it_was_seen_and_which_checkpoint_it_took() -> None:
    for name in (*benchmark().sets, "dfew", "emer_v1", "mer2023_semi"):
        rows = published(name)
        assert rows
        assert all(row.source.seen_in and row.source.citation and row.protocol for row in rows)


def test_rows_of_another_metric_are_told_apart() -> None:
    assert {row.metric for row in published("dfew")} == {"war_uar", "war"}


def test_every_set_with_published_rows_has_a_reader_and_its_metric_a_score() -> None:
    sets = {row["set"]: row["metric"] for row in table("emer.bench", "published.yaml")["single"]}
    assert set(benchmark().sets) | set(sets) <= set(DATASETS)
    assert set(benchmark().sets.values()) <= set(METRICS)


def test_the_best_checkpoint_per_test_set_is_said_of_the_row_that_took_it() -> None:
    row = next(row for row in means() if row.score == 74.77)
    assert row.checkpoint == "best per test set"
    assert "chosen on that test set" in row.protocol
    assert "72.0 to 74.0" in note("mer_unibench")


def test_the_clips_of_the_benchmark_are_the_test_parts_that_its_readers_count() -> None:
    parts = {
        **{name: mer.COUNTS[name]["test"] for name in ("mer2023", "mer2024")},
        "meld": meld.COUNTS["test"],
        "iemocap4": iemocap.COUNTS["iemocap4"]["test"],
        "cmu_mosi": cmu_sentiment.PARTS_OF_MOSI["test"],
        "cmu_mosei": cmu_sentiment.PARTS_OF_MOSEI["test"],
        "ch_sims": ch_sims.PARTS_OF_V1["test"],
        "ch_sims_v2": ch_sims.PARTS_OF_V2["test"],
        "ovmerd_plus": ovmerd.COUNTS["ovmerd_plus"]["test"],
    }
    assert benchmark().clips == parts


def test_a_set_of_which_nothing_was_published_has_no_rows() -> None:
    assert published("mine") == ()
    with pytest.raises(ConfigError, match="choose one of mer_unibench"):
        benchmark("other")
