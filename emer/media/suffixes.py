"""File names by which clips are picked from folders; whether a file is one is decided by its content alone."""

from pathlib import PurePath

VIDEO = frozenset({"mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "flv", "wmv", "3gp"})
SOUND = frozenset({"wav", "flac", "mp3", "ogg", "oga", "opus", "m4a", "aac", "wma", "aif", "aiff", "mka", "amr", "au"})
PICTURE = frozenset({"jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "avif"})


def suffix(path: str | PurePath) -> str:
    """The suffix as it stands in the sets above.

    >>> suffix("Clip.MP4"), suffix("clip")
    ('mp4', '')
    """
    return PurePath(path).suffix.lower().removeprefix(".")
