"""Rendering: the same plan gives the same file, byte for byte, whoever renders it and in however many chunks.

Three acts over local directories, with no network in them: `plan.make_plan`, `chunk.render_chunk` and
`assemble.assemble`. Drawing (`capture/`) knows nothing of encoding and encoding nothing of drawing; they meet
in `renderer.py`.
"""
