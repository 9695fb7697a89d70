"""emer inside other programs: each folder is named after its host."""
