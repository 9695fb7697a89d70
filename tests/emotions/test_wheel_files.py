"""Emotion tables from files: what they mean, how they are known, what the cache survives, what is refused."""

import csv
import json
import logging
import os
import random
import shutil
import stat
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openpyxl
import pytest

from emer.emotions import wheel_cache, wheel_files
from emer.emotions.wheel_files import load_wheels
from emer.emotions.wheel_sheets import read_sheet
from emer.emotions.wheels import WheelTables
from emer.errors import ConfigError

FORMATS = [("name", "format"), ("glad", "glad,gladly,gladness"), ("sad", "sad,sadly"), ("low", "low,lowly,sad")]
SYNONYMS = [("word_run1", "synonym_run1", "word_run2", "synonym_run2"), ("Joy", "glad, merry", "joy", "cheer")]
SYNONYMS += [("sorrow", "sad, low", "Sorrow", "'blue', \"low\"")]
WHEEL = [
    ("level1", "level2", "level3"),
    (" Happy ", "Joy", "Delight"),
    ("", "Bliss", "Rapture"),
    ("Down", "Sorrow", "Gloom"),
]
MAPS = {
    "format_mapping": {"sadly": ["sad", "sad"], "sad": ["sad"]},
    "raw_mapping": {"sad": ["sorrow", "grief"]},
    "wheel_map_whole": {"wheel1": {"level1": {"sorrow": "down"}, "level2": {"sorrow": "sorrow"}}},
}


def sheet_csv(path: Path, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def sheet_xlsx(path: Path, rows: list[tuple[object, ...]]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append([cell if cell != "" else None for cell in row])
    book.save(path)


def release(folder: Path, kind: str = "csv") -> Path:
    """A small folder of the 2025 layout; all five wheels are alike."""
    folder.mkdir(exist_ok=True)
    write: Callable[[Path, list], None] = sheet_csv if kind == "csv" else sheet_xlsx
    sheet_csv(folder / "format.csv", FORMATS)
    write(folder / f"synonym.{kind}", SYNONYMS)
    for number in range(1, 6):
        write(folder / f"wheel{number}.{kind}", WHEEL)
    return folder


def maps(folder: Path, **changes: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "wheel_mapping.json"
    path.write_text(json.dumps({**MAPS, **changes}), encoding="utf-8")
    return path


# ---------------------------------------------------------------- what the files mean


def test_a_form_leads_to_every_word_that_lists_it_and_each_word_to_itself(tmp_path: Path) -> None:
    """Hand count: `sad` is a form of `sad` and of `low`; `gladly` of `glad` alone."""
    tables = load_wheels(release(tmp_path / "t"))
    assert tables.forms["sad"] == ("low", "sad")
    assert tables.forms["gladly"] == ("glad",)
    assert set(tables.forms) == {"glad", "gladly", "gladness", "sad", "sadly", "low", "lowly"}


def test_synonyms_of_all_runs_are_merged_in_lower_case(tmp_path: Path) -> None:
    tables = load_wheels(release(tmp_path / "t"))
    assert tables.synonyms == {
        **dict.fromkeys(("joy", "glad", "merry", "cheer"), ("joy",)),
        **dict.fromkeys(("sorrow", "sad", "low", "blue"), ("sorrow",)),
    }


def test_an_empty_cell_of_a_wheel_has_the_word_above_and_an_inner_word_its_first_middle_one(tmp_path: Path) -> None:
    """`bliss` comes before `joy` in the alphabet, though not in the sheet."""
    ring1, ring2 = load_wheels(release(tmp_path / "t")).wheels[0].rings
    assert ring1["rapture"] == "happy"
    assert ring2["rapture"] == "bliss"
    assert ring2["happy"] == "bliss"
    assert ring2["down"] == "sorrow"


def test_of_a_word_in_two_places_the_last_counts(tmp_path: Path) -> None:
    folder = release(tmp_path / "t")
    sheet_csv(folder / "wheel1.csv", [*WHEEL, ("Fear", "Dread", "Gloom"), ("", "", "Happy")])
    ring1, ring2 = load_wheels(folder).wheels[0].rings
    assert (ring1["gloom"], ring2["gloom"]) == ("fear", "dread")
    assert (ring1["happy"], ring2["happy"]) == ("fear", "dread")


def test_sheets_of_excel_and_csv_say_the_same(tmp_path: Path) -> None:
    as_csv, as_xlsx = load_wheels(release(tmp_path / "c")), load_wheels(release(tmp_path / "x", "xlsx"))
    assert (as_csv.forms, as_csv.synonyms, as_csv.wheels) == (as_xlsx.forms, as_xlsx.synonyms, as_xlsx.wheels)
    assert as_csv.sha256 != as_xlsx.sha256


def test_the_maps_of_2026_are_forms_synonyms_and_rings(tmp_path: Path) -> None:
    """`grief` comes first in the alphabet but stands on no wheel: hand-made after the definition in methods."""
    tables = load_wheels(maps(tmp_path))
    assert tables.forms["sadly"] == ("sad",)
    assert tables.map("case1", "sadly") == "sad"
    assert tables.map("case2", "sadly") == "grief"
    assert tables.map("case3_wheel1_level1", "sadly") == "down"
    assert tables.map("case3_wheel1_level2", "sadly") == "sorrow"
    assert tables.map("case3_wheel1_level1", "merry") == ""
    assert tables == load_wheels(tmp_path)


def test_an_unknown_mapping_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no mapping 'case4'; choose one of case1, case2, case3_wheel1_level1"):
        load_wheels(maps(tmp_path)).map("case4", "sad")


# ---------------------------------------------------------------- how tables are known


@pytest.mark.parametrize(("folder", "name", "forms"), [("2025", "AffectGPT 2025", 7386), ("2026", "MER2026", 7356)])
def test_released_tables_are_known_by_their_content(real_data: Path, folder: str, name: str, forms: int) -> None:
    """1,255 words in 7,386 forms: counts of the release of 2025; 253 words on its wheels."""
    tables = load_wheels(real_data / "wheels" / folder)
    assert tables.name == name
    assert tables.note is None
    assert len(tables.forms) == forms
    assert len(tables.synonyms) == 1255
    assert len({word for wheel in tables.wheels for word in wheel.rings[0]}) == 253
    assert len(tables.mappings) == 12


def test_released_tables_are_known_in_other_packing(real_data: Path, tmp_path: Path) -> None:
    """The 2025 sheets as csv, with a byte order mark and the line ends of another system."""
    for path in (real_data / "wheels" / "2025").iterdir():
        if path.suffix == ".csv":
            text = path.read_text(encoding="utf-8").replace("\n", "\r\n")
            (tmp_path / path.name).write_text("\ufeff" + text, encoding="utf-8", newline="")
            continue
        rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
        sheet_csv(tmp_path / f"{path.stem}.csv", [tuple(str(cell or "") for cell in row) for row in rows])
    assert load_wheels(tmp_path).name == "AffectGPT 2025"


def test_other_tables_work_and_say_that_nobody_knows_them(tmp_path: Path) -> None:
    tables = load_wheels(release(tmp_path / "t"))
    assert tables.name == "unknown tables"
    assert tables.note is not None
    assert "compare with no published" in tables.note


def test_one_changed_cell_makes_other_tables(real_data: Path, tmp_path: Path) -> None:
    told = json.loads((real_data / "wheels" / "2026" / "wheel_mapping.json").read_text())
    told["wheel_map_whole"]["wheel3"]["level2"]["happy"] = "sad"
    (tmp_path / "wheel_mapping.json").write_text(json.dumps(told))
    assert load_wheels(tmp_path).name == "unknown tables"


def test_the_hash_of_one_file_is_its_own(tmp_path: Path) -> None:
    import hashlib

    path = maps(tmp_path)
    assert load_wheels(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


# ---------------------------------------------------------------- the cache


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "wheels").rglob("*.msgpack"))


def test_tables_are_compiled_once(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = release(tmp_path / "t", "xlsx")
    first = load_wheels(folder)
    assert len(entries(own_cache)) == 1
    monkeypatch.setattr(wheel_files, "read_2025", lambda files: pytest.fail("compiled again"))
    assert load_wheels(folder) == first


def test_changed_files_are_compiled_anew(tmp_path: Path, own_cache: Path) -> None:
    folder = release(tmp_path / "t")
    before = load_wheels(folder)
    sheet_csv(folder / "wheel3.csv", [*WHEEL, ("Down", "Sorrow", "Dismay")])
    assert load_wheels(folder).wheels[2] != before.wheels[2]
    assert len(entries(own_cache)) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "foreign"])
def test_a_damaged_copy_is_made_anew(
    tmp_path: Path, own_cache: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A flipped letter may still be readable MessagePack: a wrong table would give wrong scores without a word."""
    path = maps(tmp_path / "t")
    sound = load_wheels(path)
    (entry,) = entries(own_cache)
    data = bytearray(entry.read_bytes())
    flipped = data.replace(b"sorrow", b"sorrox")
    assert flipped != data
    entry.write_bytes({"cut": data[:-9], "flipped": flipped, "emptied": b"", "foreign": b"\x80\x04pickle"}[damage])
    with caplog.at_level(logging.WARNING, "emer"):
        assert load_wheels(path) == sound
    assert "damaged" in caplog.text
    assert entry.read_bytes() == data


def test_a_copy_of_another_layout_is_made_anew(tmp_path: Path, own_cache: Path) -> None:
    import hashlib

    path = maps(tmp_path / "t")
    sound = load_wheels(path)
    (entry,) = entries(own_cache)
    entry.write_bytes(hashlib.sha256(b"\x93\x01\x02\x03").digest() + b"\x93\x01\x02\x03")
    assert load_wheels(path) == sound


def test_a_cache_that_cannot_be_written_costs_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setenv("EMER_CACHE", str(blocked))
    assert load_wheels(maps(tmp_path / "t")).map("case1", "sadly") == "sad"


def test_many_at_once_get_whole_tables(tmp_path: Path, own_cache: Path) -> None:
    folder = release(tmp_path / "t")
    with ThreadPoolExecutor(8) as pool:
        found: list[WheelTables] = list(pool.map(lambda _: load_wheels(folder), range(24)))
    assert all(tables == found[0] for tables in found)
    assert wheel_cache.kept(found[0].sha256) is not None
    assert [path.suffix for path in own_cache.rglob("*") if path.is_file()] == [".msgpack"]


# ---------------------------------------------------------------- what is refused


def test_a_folder_with_a_missing_file_names_it(tmp_path: Path) -> None:
    folder = release(tmp_path / "t")
    (folder / "wheel4.csv").unlink()
    (folder / "synonym.csv").unlink()
    with pytest.raises(ConfigError, match=r"t lacks synonym\.xlsx, wheel4\.xlsx; copy the whole folder"):
        load_wheels(folder)


def test_a_folder_of_something_else_says_what_it_looked_for(tmp_path: Path) -> None:
    (tmp_path / "2025").mkdir()
    with pytest.raises(ConfigError, match=r"holds no emotion tables, only 2025; name the folder with format\.csv"):
        load_wheels(tmp_path)


def test_a_path_to_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there are no emotion tables at .*nowhere; name the folder of a release"):
        load_wheels(tmp_path / "nowhere")


def test_a_pickled_archive_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "wheel_mapping.npz"
    path.write_bytes(b"PK")
    for told in (path, tmp_path):
        with pytest.raises(ConfigError, match=r"pickled archive, which may run any code .*save its three maps as JSON"):
            load_wheels(told)


@pytest.mark.parametrize(
    ("rows", "letter"),
    [
        ([("level1", "level2"), ("Happy", "Joy")], r"wheel2\.csv has no column level3; its columns are level1, level2"),
        ([("level1", "level2", "level3")], r"wheel2\.csv has no words"),
        ([], r"wheel2\.csv has no column level1; its columns are none"),
        ([*WHEEL[:1], ("Happy", "", "Joy")], r"wheel2\.csv, row 2: level2 empty, and nothing above"),
    ],
)
def test_a_wheel_without_a_ring_or_words_names_file_and_place(
    tmp_path: Path, rows: list[tuple[str, ...]], letter: str
) -> None:
    folder = release(tmp_path / "t")
    sheet_csv(folder / "wheel2.csv", rows)
    with pytest.raises(ConfigError, match=letter):
        load_wheels(folder)


def test_a_cell_that_is_no_word_names_sheet_and_row(tmp_path: Path) -> None:
    folder = release(tmp_path / "t", "xlsx")
    sheet_xlsx(folder / "wheel1.xlsx", [*WHEEL, ("Down", 3.5, "Woe")])
    with pytest.raises(ConfigError, match=r"wheel1\.xlsx, sheet Sheet, row 5, level2: 3\.5 is no word"):
        load_wheels(folder)


def test_synonyms_without_their_columns_are_refused(tmp_path: Path) -> None:
    folder = release(tmp_path / "t")
    sheet_csv(folder / "synonym.csv", [("word", "synonym"), ("joy", "glad")])
    with pytest.raises(ConfigError, match=r"synonym\.csv has no columns word_run1, synonym_run1; its columns are word"):
        load_wheels(folder)


def broken_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no sheet in here")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"level1,level2,level3\n"),
        lambda path: path.write_bytes(path.read_bytes()[:900]),
        broken_zip,
    ],
    ids=["empty", "no zip", "cut", "zip of something else"],
)
def test_an_unreadable_excel_sheet_is_refused(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    folder = release(tmp_path / "t", "xlsx")
    spoil(folder / "wheel5.xlsx")
    with pytest.raises(ConfigError, match=r"wheel5\.xlsx cannot be read as an Excel sheet .*get the file anew"):
        load_wheels(folder)


def test_a_sheet_with_flipped_bytes_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    """Zip, XML and openpyxl each fail in ways of their own: zlib.error, XMLSyntaxError, NotImplementedError, ..."""
    path, rng = tmp_path / "wheel1.xlsx", random.Random(0)
    sheet_xlsx(path, WHEEL)
    sound, letters = path.read_bytes(), set()
    for _ in range(150):
        data = bytearray(sound)
        for _ in range(rng.randint(1, 20)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            read_sheet(path)
        except ConfigError as error:
            letters.add(str(error))
    assert not any("\n" in letter for letter in letters)
    assert len({letter.partition("(")[2].partition(":")[0] for letter in letters}) > 2


def test_a_csv_of_another_encoding_is_refused(tmp_path: Path) -> None:
    folder = release(tmp_path / "t")
    (folder / "format.csv").write_bytes("name,format\nblasé,blasé\n".encode("utf-16"))
    with pytest.raises(ConfigError, match=r"format\.csv cannot be read as UTF-8 CSV"):
        load_wheels(folder)


@pytest.mark.parametrize(
    ("changes", "letter"),
    [
        ({"format_mapping": {"sad": "sad"}}, r"no JSON of emotion tables \(Expected `array`, got `str`"),
        ({"raw_mapping": {}}, "raw_mapping empty"),
        ({"wheel_map_whole": {"wheel1": {"level1": {"sad": "down"}}}}, "wheel1 has no level2, or an empty one"),
        (
            {"wheel_map_whole": {"wheel1": {"level1": {"a": ""}, "level2": {"a": "b"}}}},
            "level1: 'a' has an empty cluster",
        ),
    ],
)
def test_maps_that_are_not_whole_are_refused(tmp_path: Path, changes: dict[str, object], letter: str) -> None:
    with pytest.raises(ConfigError, match=letter):
        load_wheels(maps(tmp_path, **changes))


@pytest.mark.parametrize("text", ["happy, sad", "", '{"more": ' + "[" * 100_000 + "]" * 100_000 + "}"])
def test_text_that_is_no_json_of_tables_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tables.json").write_text(text)
    with pytest.raises(ConfigError, match=r"tables\.json is no JSON of emotion tables .*it must hold format_mapping"):
        load_wheels(tmp_path / "tables.json")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = maps(tmp_path)
    path.chmod(stat.S_IWUSR)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_wheels(path)


def test_two_files_for_one_part_are_refused(tmp_path: Path) -> None:
    folder = release(tmp_path / "t")
    shutil.copy(release(tmp_path / "x", "xlsx") / "wheel1.xlsx", folder)
    with pytest.raises(ConfigError, match=r"has wheel1\.csv and wheel1\.xlsx; keep one of each"):
        load_wheels(folder)
