"""Training: heads on feature tables, with early stopping on validation."""
