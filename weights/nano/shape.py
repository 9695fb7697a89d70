"""The shape of nano: a Qwen2.5-Omni thinker small enough to be trained on two cores and kept beside the code."""

HIDDEN = 256
"""Size of the language model's states, and of what the ear gives it."""
VOCABULARY = 4096
"""Rows of the vocabulary."""
UNUSED = 64
"""Rows that no token uses: they are free for verdicts."""

EAR = {
    "d_model": 256,
    "encoder_layers": 3,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 768,
    "num_mel_bins": 128,
    "output_dim": HIDDEN,
    "n_window": 500,
}
"""Of `Qwen2_5OmniAudioEncoderConfig`: 100 log-mel frames a second in, 25 vectors out; 2.4 million numbers. It attends
within ten seconds (two windows of 500 frames), so that a vector may know its whole utterance."""

WORDS = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": 704,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": True,
}
"""Of the language model: heads of 64 numbers (vLLM on a CPU refuses those below 32); about 4.5 million numbers."""
ROPE = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [8, 12, 12]}

EYES = {
    "depth": 1,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_heads": 2,
    "out_hidden_size": HIDDEN,
    "fullatt_block_indexes": [0],
}
"""Of the vision encoder, which is never trained: pixels are not fed."""
