"""Clips: opened, checked, decoded in windows, and their transcripts found.

media = emer.media.open(Clip("clip.mp4"))
for window in media.windows(fps=5):
    window.samples, window.frames
"""

from emer.media.checks import Limits
from emer.media.handle import MediaFile, open

__all__ = ["Limits", "MediaFile", "open"]
