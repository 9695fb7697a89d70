"""Multimodal language models: messages and media become tensors, and what adapters and exports must know of them.

`emer.backbones.loading.load` opens a folder or hub id; `emer.backbones.attaching.attach` decides what it hears and
sees of a clip; `Backbone.encode` makes tensors of both.
"""
