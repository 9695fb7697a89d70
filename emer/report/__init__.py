"""What a person or another program sees of an explanation: terminal, HTML page, annotation files."""
