"""How fast this machine renders, held against what its cores could do; measured, never asserted.

Knows the render and nothing of settings: what opens a renderer and where the command lies are handed in.
"""
