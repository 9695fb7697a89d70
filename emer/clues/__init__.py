"""Media in, clues and features out; `emer.clues.extract.extract` calls every extractor."""
