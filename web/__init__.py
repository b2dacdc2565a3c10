"""The face: Flask."""
