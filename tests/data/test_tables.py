"""Feature tables: what they refuse, and that files give back what was written."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest

from emer.data import cremad, mosi, table_files
from emer.data.table_files import read_table, write_npz
from emer.data.tables import FeatureTable, View, full_view, target_of, views_of
from emer.errors import ConfigError, MissingExtra
from emer.types import Features


@pytest.fixture
def as_users_run_it() -> Iterator[None]:
    """Without run-time type checks, which would stop a wrong shape before our own message."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def small(**changes: Any) -> FeatureTable:
    """Three rows, two labels, two views; the second row lacks the view `face`."""
    face = View(("smile",), np.array([[0.5], [0.0], [2.0]], dtype=np.float32), np.array([[True], [False], [True]]))
    own: dict[str, Any] = {
        "name": "small",
        "rows": ("r1", "r2", "r3"),
        "labels": ("sad", "glad"),
        "kind": "single",
        "target": np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]),
        "views": {"voice": full_view(("pitch", "loudness"), np.arange(6.0).reshape(3, 2)), "face": face},
        "speakers": ("a", "a", "b"),
    }
    return FeatureTable(**(own | changes))


def same(one: FeatureTable, other: FeatureTable) -> bool:
    views = all(
        one.views[v].names == other.views[v].names
        and (one.views[v].values == other.views[v].values).all()
        and (one.views[v].mask == other.views[v].mask).all()
        for v in one.views
    )
    fields = ("rows", "labels", "kind", "speakers", "source", "licence", "note", "versions")
    told = all(getattr(one, key) == getattr(other, key) for key in fields)
    return views and told and set(one.views) == set(other.views) and bool((one.target == other.target).all())


def test_a_table_written_as_npz_reads_back_the_same(tmp_path: Path) -> None:
    table = small(source="a study", licence="CC0", note="half a joke", versions={"voice": "3"})
    write_npz(table, tmp_path / "t.npz")
    assert same(read_table(tmp_path / "t.npz"), table)
    assert read_table(tmp_path / "t.npz").sha256 == table.sha256


def test_csv_parquet_and_npz_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "row,speaker,label,voice.pitch,voice.loudness,face.smile\nr1,a,sad,0,1,0.5\nr2,a,glad,2,3,\nr3,b,sad,4,5,2\n"
    )
    from_csv = read_table(tmp_path / "t.csv", ("sad", "glad"))
    assert same(from_csv, replace(small(), name="t"))
    arrow = import_module("pyarrow")
    columns = {
        "row": ["r1", "r2", "r3"], "speaker": ["a", "a", "b"], "label": ["sad", "glad", "sad"],
        "voice.pitch": [0.0, 2.0, 4.0], "voice.loudness": [1, 3, 5], "face.smile": [0.5, None, 2.0],
    }  # fmt: skip
    import_module("pyarrow.parquet").write_table(arrow.table(columns), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet", ("sad", "glad")).sha256 == from_csv.sha256


def test_label_sets_and_votes_have_columns_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("row,labels,v.x\nr1,sad; glad,1\nr2,,2\n")
    assert read_table(tmp_path / "m.csv", ("sad", "glad")).target.tolist() == [[1, 1], [0, 0]]
    (tmp_path / "v.csv").write_text("row,votes.sad,votes.glad,v.x\nr1,3,1,1\nr2,,2,2\n")
    table = read_table(tmp_path / "v.csv")
    assert (table.kind, table.labels, table.target.tolist()) == ("votes", ("sad", "glad"), [[0.75, 0.25], [0, 1]])


def test_the_hash_sees_every_number_and_name() -> None:
    table = small()
    altered = [
        small(rows=("r1", "r2", "r4")),
        small(labels=("sad", "happy")),
        small(speakers=None),
        small(target=table.target[:, ::-1]),
        small(views={**table.views, "voice": full_view(("pitch", "loudness"), np.arange(6.0).reshape(3, 2) + 1)}),
        small(views={**table.views, "voice": full_view(("pitch", "volume"), np.arange(6.0).reshape(3, 2))}),
        small(views={**table.views, "face": full_view(("smile",), table.views["face"].values)}),  # 0, but measured
        table.take(np.array([0, 1])),
    ]
    assert len({table.sha256, *(other.sha256 for other in altered)}) == 9
    assert table.sha256 == small(note="a remark changes no result").sha256


def test_rows_can_be_taken_in_another_order() -> None:
    taken = small().take(np.array([2, 0]))
    assert (taken.rows, taken.speakers) == (("r3", "r1"), ("b", "a"))
    assert taken.views["face"].values.tolist() == [[2.0], [0.5]]


def test_features_of_clips_become_views_with_masks() -> None:
    pitch = Features("audio", ("f0", "hnr"), (1.0, 0.0), (True, False), "1")
    views = views_of([{"audio": pitch}, {"visual": Features("visual", ("smile",), (3.0,), (True,), "2")}])
    assert views["audio"].mask.tolist() == [[True, False], [False, False]]
    assert views["visual"].values.tolist() == [[0.0], [3.0]]
    with pytest.raises(ConfigError, match=r"audio features of these clips differ .*\(1, 2\)"):
        views_of([{"audio": pitch}, {"audio": replace(pitch, version="2")}])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rows": ("r1", "r2", "r1")}, r"1 row ids come more than once \(r1\)"),
        ({"rows": ("r1", "r2")}, r"the view voice has 3 rows, the table 2"),
        ({"labels": ("sad", "sad")}, "at least two, each once"),
        ({"speakers": ("a",)}, "1 speakers stand beside 3 rows"),
        ({"views": {}}, "it has no view"),
        ({"kind": "singel"}, "'singel' is not known; choose one of single, multi, votes"),
        ({"target": np.array([[1.0, 0], [0.5, 0.5], [0, 0]])}, r"2 targets are wrong \(rows r2, r3\); .* one 1"),
        ({"target": np.array([[1.0, 0], [2, 0], [0, 0]]), "kind": "multi"}, r"1 targets are wrong \(rows r2\)"),
        ({"target": np.array([[1.0, 0], [2, -1], [np.nan, 0]]), "kind": "votes"}, r"2 targets .*\(rows r2, r3\)"),
        ({"target": np.eye(3)}, r"the target has the shape \(3, 3\); 3 rows and 2 labels need \(3, 2\)"),
    ],
)
@pytest.mark.usefixtures("as_users_run_it")
def test_what_does_not_fit_is_named(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        small(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("as_users_run_it")
def test_features_that_are_no_numbers_are_named_with_their_rows() -> None:
    values = np.arange(6.0).reshape(3, 2)
    values[1, 0], values[2, 1] = np.nan, np.inf
    with pytest.raises(
        ConfigError, match=r"2 features are not finite \(voice.pitch in row r2, voice.loudness in row r3\)"
    ):
        small(views={"voice": full_view(("pitch", "loudness"), values)})
    masked = View(("pitch",), np.ones((3, 1), dtype=np.float32), np.zeros((3, 1), dtype=bool))
    with pytest.raises(ConfigError, match="masked features that are not 0"):
        small(views={"voice": masked})
    with pytest.raises(ConfigError, match=r"features of the same name \(pitch\)"):
        small(views={"voice": full_view(("pitch", "pitch"), np.zeros((3, 2)))})


def test_an_unknown_label_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("row,label,v.x\nr1,sad,1\nr2,gald,2\n")
    with pytest.raises(ConfigError, match=r"t.csv: .*'gald'.*sad, glad"):
        read_table(tmp_path / "t.csv", ("sad", "glad"))
    with pytest.raises(ConfigError, match=r"does not say which labels there are \(seen: gald, sad\)"):
        read_table(tmp_path / "t.csv")


@pytest.mark.usefixtures("as_users_run_it")
def test_an_unknown_kind_of_target_is_named() -> None:
    with pytest.raises(ConfigError, match="'double' is not known; choose one of single, multi, votes"):
        target_of("double", [], ("a", "b"))  # type: ignore[arg-type]


def test_rows_missing_in_one_view_are_named(tmp_path: Path) -> None:
    arrays = {"rows": np.array(["r1", "r2"]), "labels": np.array(["a", "b"]), "label": np.array(["a", "b"])}
    x = np.array([[1.0], [2.0]])
    np.savez(tmp_path / "t.npz", **arrays, x_v=x, rows_v=np.array(["r2", "r1"]))
    assert read_table(tmp_path / "t.npz").views["v"].values.tolist() == [[2.0], [1.0]]
    np.savez(tmp_path / "t.npz", **arrays, x_v=x, rows_v=np.array(["r2", "r9"]))
    with pytest.raises(ConfigError, match=r"view v: .* 1 rows are missing \(r1\); 1 rows are unknown .*\(r9\)"):
        read_table(tmp_path / "t.npz")
    np.savez(tmp_path / "t.npz", **arrays, x_v=x[:1])
    with pytest.raises(ConfigError, match="the view v has 1 rows, the table 2"):
        read_table(tmp_path / "t.npz")


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({}, "lacks arrays; add: rows; label or target; labels; x_VIEW"),
        ({"x_v": np.array([["a"], ["b"]])}, "x_v has 2 axes of <U1; give numbers"),
        ({"x_v": np.zeros(2)}, "x_v has 1 axes"),
        ({"x_v": np.array([[1.0], [np.nan]])}, r"1 features are not finite \(v.v_0 in row r2\)"),
        ({"x_v": np.zeros((2, 1)), "mask_v": np.ones((1, 1), dtype=bool)}, "give one of each per feature"),
        (
            {"x_v": np.zeros((2, 1)), "mask_v": np.ones(7, dtype=bool), "rows_v": np.array(["r2", "r1"])},
            r"x_v, mask_v and rows_v have 2, 7 and 2 rows",
        ),
        ({"x_v": np.zeros((2, 1)), "rows_v": np.array(["r2"])}, r"x_v, mask_v and rows_v have 2, 2 and 1 rows"),
        ({"x_v": np.array([{}, {}], dtype=object)}, "pickled Python objects"),
    ],
)
def test_an_npz_that_does_not_fit_is_told_so(arrays: dict[str, Any], expected: str, tmp_path: Path) -> None:
    rest = {"rows": np.array(["r1", "r2"]), "labels": np.array(["a", "b"]), "label": np.array(["a", "b"])}
    np.savez(tmp_path / "t.npz", **(rest | arrays if arrays else {"q": np.zeros(1)}))
    with pytest.raises(ConfigError, match=expected):
        read_table(tmp_path / "t.npz")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("row,label,pitch\nr1,a,1\n", r"columns pitch are unknown: features are called VIEW.FEATURE"),
        ("label,v.x\na,1\n", "no column `row`"),
        ("row,v.x\nr1,1\n", "one of `label`, `labels` or `votes.LABEL` is needed"),
        ("row,label,v.x\nr1,a\n", r"3 columns, but not in lines 2"),
        ("row,label,v.x\nr1,a,high\n", "column v.x: could not convert .*'high'; give numbers"),
        ("row,label,v.x\nr1,a,nan\n", "not finite"),
        ("row,label,v.x\nr1,a,1e300\n", "not finite"),
        ("row,label,v.x\n,a,1\n", "1 cells of `row` are empty"),
        ("row,label,v.x,v.x\nr1,a,1,2\n", "column names come twice"),
        ("row,label,v.x\n", "it has no rows"),
        ("", "no column `row`"),
    ],
)
@pytest.mark.usefixtures("as_users_run_it")
def test_a_csv_that_does_not_fit_is_told_so(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ConfigError, match=expected):
        read_table(tmp_path / "t.csv", ("a", "b"))


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    for name in ("t.npz", "t.parquet"):
        (tmp_path / name).write_bytes(b"neither zip nor parquet")
        with pytest.raises(ConfigError, match=r"is no \.npz archive|cannot be read as parquet"):
            read_table(tmp_path / name, ("a", "b"))
    with pytest.raises(ConfigError, match=r"ends in \.npz, \.csv, \.parquet"):
        read_table(tmp_path / "t.pkl")
    with pytest.raises(ConfigError, match="there is no file"):
        read_table(tmp_path / "absent.csv")


def test_without_pyarrow_parquet_says_which_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(table_files, "import_module", absent)
    (tmp_path / "t.parquet").touch()
    with pytest.raises(MissingExtra, match=r"pip install pyarrow, or save it as \.csv"):
        read_table(tmp_path / "t.parquet", ("a", "b"))


def test_real_tables_survive_the_disk(real_data: Path, tmp_path: Path) -> None:
    for table in (mosi.table(real_data), cremad.table(real_data, "votes")):
        write_npz(table, tmp_path / "t.npz")
        again = read_table(tmp_path / "t.npz")
        assert same(again, table)
        assert again.sha256 == table.sha256
