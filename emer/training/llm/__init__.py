"""Joint training of a multimodal language model and its evidence (`task: llm`).

LlmConfig ─► examples (clues measured, targets made) ─► collating (who sees what, batches) ─► JointModel ─► trainer
                                                                                                └─► the adapter's folder
"""
