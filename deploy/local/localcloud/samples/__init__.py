"""Makes small real files of all four kinds, with real text, pictures, sound and moving pictures, for demo and tests.

Everything is computed: the same call gives the same content, and nothing is downloaded.
"""

from localcloud.samples.library import Sample, make_samples
from localcloud.samples.many import make_many

__all__ = ["Sample", "make_many", "make_samples"]
