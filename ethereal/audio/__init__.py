"""From any file with sound in it to canonical audio, and from canonical audio to per-frame features.

The bytes are hostile: only `container.py` opens them. All sound past `canonical.py` is 48 kHz stereo, and all
features are fixed functions of time, so equal times give equal values at every frame rate.
"""
