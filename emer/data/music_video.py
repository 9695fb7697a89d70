"""Music-video emotions: clips of half a minute in six categories, the set of the trusted-recognition papers.

Source: Pandeya and Lee 2021, "Deep learning-based late fusion of multimodal information for emotion classification of
music video", Multimedia Tools and Applications 80, https://github.com/yagyapandeya/Music_Video_Emotion_Dataset;
extended in Pandeya, Bhattarai and Lee 2021, Sensors 21(14) 4927, https://doi.org/10.5281/zenodo.4542796.

The extended set has three parts, `Train`, `Validation` and `Test` (50 clips a category in the test), each with a
folder a category: Excited, Fear, Neutral, Relaxation, Sad, Tension; in it `video/NAME.mp4` and often
`audio/NAME.wav`. The first set has the folders of the categories alone (Exciting for Excited), without parts.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from emer.data.dataset import About
from emer.data.released import PART_NAMES
from emer.data.rows import Part, Row, refuse, some
from emer.errors import ConfigError
from emer.types import Annotation, Clip

LABELS = ("excited", "fear", "neutral", "relaxation", "sad", "tension")
FOLDERS: Mapping[str, str] = {**{label: label for label in LABELS}, "exciting": "excited"}
"""Names of folders in lower case, and their labels."""
VIDEO, SOUND = (".mp4", ".avi", ".mkv", ".webm"), (".wav", ".mp3")
ABOUT = About(
    name="music_video",
    title="Music-video emotions",
    source="Pandeya and Lee 2021, Multimedia Tools and Applications 80, https://doi.org/10.5281/zenodo.4542796",
    licence="for research; the videos belong to their makers",
    metric="war_uar",
    label_set="music6",
    note="folders and names of the release, counts not confirmed; clips of one song may stand in several parts",
)


def read(folder: Path) -> tuple[Row, ...]:
    """All clips, sorted by id `Train/Sad/NAME`; a sound whose video is not there is a row with a missing clip.

    Raises ConfigError where no folder of a category is found, and for folders of other categories beside them.
    """
    halves = [path for path in _folders(folder) if path.name.lower() in PART_NAMES]
    rows: list[Row] = []
    strangers = []
    for top in halves or [folder]:
        part = PART_NAMES.get(top.name.lower()) if halves else None
        for place in _folders(top):
            if place.name.lower() in FOLDERS:
                rows += list(_rows(folder, place, part))
            elif top != folder:
                strangers.append(place.relative_to(folder).as_posix())
    refuse([some(strangers)] if strangers else [], f"{folder} has folders that are none of {', '.join(LABELS)}")
    if not rows:
        raise ConfigError(f"{folder} has no Train/Excited/video/….mp4 or Exciting/….mp4; unpack the release there")
    return tuple(sorted(rows, key=lambda row: row.id))


def _folders(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir())


def _rows(folder: Path, place: Path, part: Part | None) -> Iterator[Row]:
    """The clips of one category; videos lie in it, or in its folder `video`."""
    inside = place / "video" if (place / "video").is_dir() or (place / "audio").is_dir() else place
    videos = {path.stem: path for path in _files(inside, VIDEO)}
    sounds = {path.stem for path in _files(place / "audio", SOUND)}
    for stem in sorted(videos.keys() | sounds):
        clip = videos.get(stem, inside / f"{stem}.mp4")
        name = f"{place.relative_to(folder).as_posix()}/{stem}"
        yield Row(name, Clip(str(clip)), Annotation((FOLDERS[place.name.lower()],)), part=part)


def _files(place: Path, endings: tuple[str, ...]) -> list[Path]:
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if path.suffix.lower() in endings)
