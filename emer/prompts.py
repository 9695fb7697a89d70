"""Prompts are files: what is asked of a model stands in `prompts/`, each text with a name, a version and a hash.

    ---
    name: sentiment
    version: 1
    language: en
    slots: [labels]
    description: One of three sentiments for a set of emotion labels.
    ---
    # System
    …
    # User
    {{labels}}

Without the headings the whole text is said by the user. A slot is filled once: braces in what fills it stay.
"""

import hashlib
import re
from dataclasses import dataclass, fields
from pathlib import Path

from emer.config import build
from emer.errors import ConfigError
from emer.tables import parse
from emer.types import Message, PromptRecord

PACKAGE = Path(__file__).parent
SHIPPED = (PACKAGE / "prompt_files", PACKAGE.parent / "prompts")
"""Where an installed emer has its prompts, and where a checkout has them."""

_SLOT = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_FRONT = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
_HEADING = re.compile(r"^# (System|User)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Front:
    """The keys above a prompt."""

    name: str
    version: int
    language: str
    description: str
    slots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt in one language."""

    name: str
    version: int
    language: str
    """ISO 639-1 code of the prompt's own words."""
    description: str
    slots: tuple[str, ...]
    system: str
    """What the system says; empty where it says nothing."""
    user: str
    sha256: str
    """Of the whole file, so that results name the very text."""

    def render(self, **slots: object) -> str:
        """The text that is sent, slots filled. Raises ConfigError naming slots that are missing or unknown."""
        return "\n\n".join(message.text for message in self.messages(**slots))

    def messages(self, **slots: object) -> tuple[Message, ...]:
        """What the system and the user say, slots filled. Raises ConfigError like `render`."""
        missing = [slot for slot in self.slots if slot not in slots]
        unknown = [slot for slot in slots if slot not in self.slots]
        mistakes = [f"{slot} is missing" for slot in missing]
        mistakes += [f"{slot} is unknown" for slot in unknown]
        if mistakes:
            takes = ", ".join(self.slots) or "none"
            raise ConfigError(f"the slots of the prompt {self.name} are {takes}: {'; '.join(mistakes)}")
        filled = {slot: str(value) for slot, value in slots.items()}
        system, user = (_SLOT.sub(lambda slot: filled[slot.group(1)], text) for text in (self.system, self.user))
        return (*((Message("system", system),) if system else ()), Message("user", user))

    @property
    def record(self) -> PromptRecord:
        """How a result names the prompt."""
        return PromptRecord(f"{self.name}.{self.language}", self.sha256)


def prompt(name: str, language: str = "en") -> Prompt:
    """A prompt that comes with emer, or the one in a file of your own (`name` is then its path).

    Raises ConfigError for a name or language that does not exist, listing those that do, and for a broken file.

    >>> prompt("sentiment").render(labels="happy, relieved").splitlines()[-1]
    'happy, relieved'
    """
    if name.endswith(".md") and Path(name).is_file():
        return _read(Path(name))
    files = {path.name.removesuffix(".md"): path for folder in SHIPPED for path in sorted(folder.glob("*.md"))}
    if path := files.get(f"{name}.{language}"):
        return _read(path)
    raise ConfigError(f"there is no prompt {name}.{language}; give a file, or one of {', '.join(sorted(files))}")


def _read(path: Path) -> Prompt:
    try:
        data = path.read_bytes()
        text = data.decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the prompt {path} cannot be read ({error}); give a UTF-8 text file") from error
    parts = _FRONT.match(text)
    values = parse(parts.group(1), str(path)) if parts else None
    if parts is None or not isinstance(values, dict):
        known = ", ".join(field.name for field in fields(_Front))
        raise ConfigError(f"the prompt {path} does not begin with keys between two lines of ---; write {known}")
    front = build(_Front, values, f"the prompt {path}")
    system, user, mistakes = _said(parts.group(2))
    _check(front, system, user, mistakes, path)
    sha256 = hashlib.sha256(data).hexdigest()
    return Prompt(front.name, front.version, front.language, front.description, front.slots, system, user, sha256)


def _said(body: str) -> tuple[str, str, list[str]]:
    """What stands under the two headings (without headings all of it is the user's), and mistakes in them."""
    before, *pieces = _HEADING.split(body)
    if not pieces:
        return "", body.strip(), []
    heads, texts = pieces[::2], pieces[1::2]
    mistakes = ["words stand before the first heading"] if before.strip() else []
    mistakes += [f"the heading {head} stands twice" for head in sorted(set(heads)) if heads.count(head) > 1]
    said = dict(zip(heads, texts, strict=True))
    return said.get("System", "").strip(), said.get("User", "").strip(), mistakes


def _check(front: _Front, system: str, user: str, mistakes: list[str], path: Path) -> None:
    """Raises ConfigError where a file does not keep what its head says."""
    found = set(_SLOT.findall(system + user))
    mistakes = mistakes + [f"the slot {slot} stands in no text" for slot in front.slots if slot not in found]
    mistakes += [f"{{{{{slot}}}}} is not among its slots" for slot in sorted(found - set(front.slots))]
    mistakes += [] if user else ["it has no words of the user"]
    if mistakes:
        raise ConfigError(f"the prompt {path} contradicts itself: {'; '.join(mistakes)}")
