"""Models and processors from folders or hub ids, adapters on top; what does not fit is told in one line."""

import contextlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch

from emer.errors import MissingExtra, ModelError
from emer.shipped import located

Dtype = torch.dtype | Literal["auto"]


def transformers() -> Any:
    """The package, with what torchvision lacks declared before it. Raises MissingExtra when it is absent."""
    import emer.torchvision_ops  # noqa: F401  declares operators while it is imported

    try:
        import transformers as package
    except ImportError as error:
        raise MissingExtra(f'language models need transformers ({error}); run: pip install "emer[mllm]"') from error
    return package


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """No progress bars and no remarks of transformers on standard error in this block.

    Its remarks are on settings of parts that are not used here, such as the talker's; what matters is checked by us.
    """
    logging = transformers().utils.logging
    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()


def config_of(path_or_id: str | Path) -> Any:
    """The configuration of a folder or hub id. Raises ModelError when there is none."""
    try:
        with quietly():
            return transformers().AutoConfig.from_pretrained(str(located(path_or_id)))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path_or_id} is no model that transformers can open: {_first_line(error)}") from error


def check_type(config: Any, path_or_id: str | Path, types: tuple[str, ...]) -> None:
    """Raises ModelError when the model is of another family."""
    if config.model_type not in types:
        raise ModelError(
            f"{path_or_id} is a model of type {config.model_type!r}; this backbone takes {' or '.join(types)}"
        )


def open_model(
    model_class: str, path_or_id: str | Path, device: torch.device | str, dtype: Dtype, **options: Any
) -> Any:
    """The model in evaluation mode. Raises ModelError when weights are missing, also when only some are.

    For an accelerator, weights are read straight to it, so that a large model needs no second place in memory.
    """
    if torch.device(device).type != "cpu":
        options.setdefault("device_map", {"": torch.device(device)})
    found = getattr(transformers(), model_class)
    try:
        with quietly():
            model, info = found.from_pretrained(
                str(located(path_or_id)), dtype=dtype, output_loading_info=True, **options
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"{path_or_id} cannot be loaded as {model_class}: {_first_line(error)}") from error
    missing = sorted(info["missing_keys"])
    if missing:
        # transformers would go on with random numbers in their place
        raise ModelError(f"{path_or_id} lacks {len(missing)} tensors of {model_class}, for instance {missing[0]}")
    return model.eval()


def open_processor(path_or_id: str | Path, processor_class: str) -> Any:
    """The processor, or the tokenizer of a model without one. Raises ModelError when it cannot be opened."""
    try:
        with quietly():
            return getattr(transformers(), processor_class).from_pretrained(str(located(path_or_id)))
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelError(f"{path_or_id} has no {processor_class} that opens: {_first_line(error)}") from error


def with_adapter(model: Any, adapter: str | Path, *, trainable: bool = False) -> Any:
    """The model with a PEFT adapter from a folder.

    Raises ModelError when the folder holds none, when tensors have other shapes, or when not exactly its tensors were
    taken: PEFT goes on without an effect where names do not match.
    """
    peft = _peft()
    folder = Path(adapter)
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file() or not (folder / "adapter_config.json").is_file():
        raise ModelError(f"{folder} is no adapter: adapter_config.json and adapter_model.safetensors belong there")
    stored = _names(weights)
    try:
        with warnings.catch_warnings():
            # said below, with the name of the folder and as an error
            warnings.filterwarnings("ignore", message="Found missing adapter keys")
            # a head in the output layer adds to it alone; merging unties the embeddings first
            warnings.filterwarnings("ignore", message=r"Model has `tie_word_embeddings=True`")
            adapted = peft.PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        raise ModelError(f"the adapter {folder} does not fit this model: {_first_line(error)}") from error
    taken = set(peft.get_peft_model_state_dict(adapted, save_embedding_layers=False))
    if taken != stored:
        odd = sorted(taken ^ stored)
        raise ModelError(
            f"the adapter {folder} does not fit this model: {len(odd)} tensor names differ, for instance {odd[0]}; "
            "was it made for another class, or exported for a server?"
        )
    return adapted if trainable else adapted.eval()


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise MissingExtra(f'adapters need peft ({error}); run: pip install "emer[mllm]"') from error
    return peft


def _names(weights: Path) -> set[str]:
    """Names of the tensors in a safetensors file, from its header alone."""
    with weights.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(size)) if size < 100_000_000 else {}
        except (ValueError, UnicodeDecodeError) as error:
            raise ModelError(f"{weights} is damaged: its header cannot be read; copy it again") from error
    return set(header) - {"__metadata__"}


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
