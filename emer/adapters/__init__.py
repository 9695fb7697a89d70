"""One folder that stock PEFT loads: LoRA, the verdict's rows in it, and `emer.json`, which says what they mean.

`rows` puts the rows of a verdict into the output layer's LoRA, `export.export_adapter` writes a folder after training,
`files.read_adapter` reads and checks one, `merging.merge` puts it into the base model's own weights, `renaming.to_vllm`
writes a second folder with the tensor names of vLLM, and `proof.prove_live` shows that a loaded adapter has its effect.
"""
