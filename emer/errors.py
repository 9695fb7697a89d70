"""The one exception family: every error that a user can cause and can mend.

Each message is a small letter to the user: what happened, which value, what to do.
The command line prints that letter as one line and exits 2; anything else is a bug and keeps its traceback.
"""


class EmerError(Exception):
    """Something that the user can mend; the message says how."""


class MediaError(EmerError):
    """A clip cannot be opened, has nothing to decode, or is over a stated limit."""


class TranscriptError(EmerError):
    """A transcript file was named but cannot be read."""


class MissingExtra(EmerError):
    """A feature needs packages that are not installed; the message names the extra."""


class ConfigError(EmerError):
    """A setting, data table or name is wrong; the message lists every mistake at once."""


class ModelError(EmerError):
    """A language model that is not there, an adapter or a prompt that does not fit it."""


class OpinionError(EmerError):
    """Opinions that cannot be combined: other label sets, other kinds, negative evidence."""


class OutputError(EmerError):
    """A result cannot be written where it was asked to go."""
