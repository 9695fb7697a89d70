"""Who answers: the composer without a model, later language models. All keep `emer.engines.engine.Engine`."""
