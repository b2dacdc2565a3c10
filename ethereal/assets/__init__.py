"""Assets: sound that was taken in and is kept, with its facts, its source, and what was made of it.

The same bytes are one asset. Every object of an asset is noted with its size, so that what all of them take
is known at once; what belongs to no asset is swept. Time is always an argument.
"""
