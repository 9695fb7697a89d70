"""Teaching data: explanations that cite clues, written by the composer or by a language model, filtered, reviewed.

lessons      what a teacher is told about one clip
composed     the composer as a teacher
asked        a chat model as a teacher, in one stage or in two
filtering    sentences that the clues do not bear out go; drafts that say another emotion than people did go too
annotating   clip after clip; killed, the same command continues
records      one line for each clip that is done
outputs      the manifest that `emer train` reads, what was rejected and why, and figures
review       a page on which a person accepts, edits and rejects
decisions    the manifest after that
"""
