"""What heads learn from and what benchmarks read: rows of clips, tables of features, and who is in which split.

    rows       one clip with what people said about it; the same for every data set
    manifest, conversations, hub
               a user's own list of clips; rows as chat data and as `datasets.Dataset`
    dataset    a public data set by its name in `registry.DATASETS`: what is known of it, its rows, what is missing;
               `folders` finds where it lies
    mer, ovmerd, mercaption, emer_sets, merr, meld, iemocap, dfew, mafw,
    cmu_sentiment, ch_sims, m3ed, music_video, emoprefer, ravdess, emodb, cremad
               the readers behind those names, each from the layout of the release; `unibench` reads what MER-UniBench
               packs; `released`, `released_clips` and `object_arrays` are what they share
    tables     features per view with targets, checked when they are made; `table_files` reads and writes them
    mosi, handwritten, and again ravdess, emodb, cremad
               what heads were trained and measured on
    splits     which speakers train, validate, calibrate and test; `making_splits` made the files in `configs/splits`

No data set ships with emer. Each module names its source and its licence.
"""
