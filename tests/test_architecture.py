"""The layer rule: a file imports only from layers below its own and from its own folder."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "emer"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"version", "types", "errors"}),
    frozenset({"registry", "files", "jsonio", "shipped", "tables", "torchvision_ops"}),
    frozenset({"config", "kinds", "endpoint"}),
    frozenset({"media", "prompts", "emotions", "grounding"}),
    frozenset({"evidence"}),
    frozenset({"clues", "data", "metrics"}),
    frozenset({"backbones", "adapters"}),
    frozenset({"engines"}),
    frozenset({"explain", "training", "score"}),
    frozenset({"report", "runs"}),
    frozenset({"bench", "server", "bulk", "annotate", "client", "integrations", "doctor"}),
    frozenset({"commands"}),
    frozenset({"cli"}),
)


def layer_of(topic: str) -> int:
    for number, names in enumerate(LAYERS):
        if topic in names:
            return number
    raise AssertionError(f"emer/{topic} stands in no layer; add it to LAYERS and to ARCHITECTURE.md")


def topic_of(path: Path) -> str:
    """The first name below emer/: a file's own name, or its folder."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Topics of emer that a file imports, wherever in the file it does so."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write emer.… in full"
            inside = node.module == "emer"
            names += [f"emer.{alias.name}" if inside else str(node.module) for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("emer.")}


FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_from_lower_layers_and_its_own_folder(path: Path) -> None:
    own = topic_of(path)
    for topic in imports_of(path) - {own}:
        message = f"{path} (layer {layer_of(own)}) imports emer.{topic} (layer {layer_of(topic)})"
        assert layer_of(topic) < layer_of(own), message


def test_the_rule_is_tested_on_something() -> None:
    assert len(FILES) > 10
