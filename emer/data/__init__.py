"""What heads learn from and what benchmarks read: rows of clips, tables of features, and who is in which split.

    rows       one clip with what people said about it; the same for every data set
    manifest   a user's own list of clips
    tables     features per view with targets, checked when they are made; `table_files` reads and writes them
    splits     which speakers train, validate, calibrate and test; `making_splits` made the files in `configs/splits`
    ravdess, emodb, cremad, mosi, handwritten
               one file per public data set; each is told its folder and checks its counts

No data set ships with emer. Each module names its source and its licence.
"""
